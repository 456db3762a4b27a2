// Asks for this page again while the mailing runs, and puts the parts that have changed in place of
// the old ones. Without this script the page reloads itself.

const mailing = document.querySelector("#mailing");

async function look() {
  let wait = 500; // milliseconds
  try {
    const answer = await fetch(mailing.dataset.url, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const parts = [...mailing.querySelectorAll("[id]")].map((old) => [old, page.getElementById(old.id)]);
    if (answer.ok) {
      for (const [old, fresh] of parts) {
        if (old.outerHTML !== fresh.outerHTML) old.replaceWith(fresh);
      }
      document.title = page.title;
      if (!page.querySelector("noscript")) return; // it is over
    } else if (answer.status === 404 || answer.status === 410) {
      location.reload(); // the page that says so
      return;
    } else {
      wait = 5000; // the server asks for it: Retry-After
    }
  } catch {
    wait = 5000; // the server is away. It may come back
  }
  setTimeout(look, wait);
}

history.replaceState(null, "", mailing.dataset.url); // after a POST: a reload must not send again
look();
