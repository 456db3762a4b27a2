"""Prose that runs: a page of the course, played as a learner would play it.

A page is Markdown. The info string of a fence says what to do with it:

- ``sh terminal=worker`` is typed into that terminal, line by line. A page that names no terminal
  has one. Every command must succeed, or end with what ``exit=`` says.
- ``text`` is what you see: compared with what the command before it printed, or, with
  ``terminal=``, with what is new there. ``...`` stands for anything on its line, and alone for
  any lines.
- ``pycon`` is a Python session, in the terminal where the page has started ``python``. Each
  line is typed and what it prints is compared.
- ``keys terminal=worker`` with the text ``Ctrl-C`` presses that key, and the program must end. A
  ``text`` fence after it is the end of what it has printed.
- ``python file=tasks.py``, in any language, is written to that file, in the folder of the last
  command, or of the terminal it names. The example has it at the same place, or, with
  ``kept=FOLDER``, in that folder.
- ``diff file=tasks.py`` edits it: what it shows must stand there, once.

Any of them may say ``not-run="the reason"``. Other fences are pictures or quotations.
"""
