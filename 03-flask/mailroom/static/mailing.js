// Asks for this page again while the mailing runs, and takes from it what is new. A part that has
// not changed is not touched: a button stays the one that is pressed, and keeps the keyboard.
// Without this script the page reloads itself.

const mailing = document.querySelector("#mailing");

function take(page) {
  for (const part of mailing.querySelectorAll("[id]")) {
    const fresh = page.getElementById(part.id);
    if (part.outerHTML === fresh.outerHTML) continue;
    const focused = part.contains(document.activeElement);
    part.className = fresh.className;
    part.replaceChildren(...fresh.childNodes);
    if (focused) document.querySelector("#state").focus(); // its button is gone
  }
  document.title = page.title;
}

async function look() {
  let wait = 400; // milliseconds
  try {
    const answer = await fetch(mailing.dataset.url, { headers: { Accept: "text/html" } });
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      take(page);
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
