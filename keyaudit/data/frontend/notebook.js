// Runs in the front end, with `element` for the output that it is; see keyaudit/frontend.py.
(() => {
  const MARK = 'keyaudit-notebook', STYLE = 'keyaudit-style', STEP = 250, PATIENCE = 240;
  const style = document.getElementById(STYLE) ?? document.head.appendChild(document.createElement('style'));
  style.id = STYLE;
  style.textContent = /*style*/;

  // an output that is out of sight may not be in the document yet
  const begin = (tries) => {
    const notebook = element.closest('.jp-Notebook');
    if (!notebook) {
      if (tries > 0) setTimeout(begin, STEP, tries - 1);
      return;
    }
    notebook.classList.add(MARK);
    element.closest('.jp-OutputArea-child')?.classList.add(MARK);
    const isQueued = () => [...notebook.querySelectorAll('.jp-InputPrompt')].some((one) => one.textContent.includes('*'));
    if (isQueued()) stand(notebook, isQueued);
  };

  // after all cells have run the last one is in view: go to the bottom line, unless somebody has gone elsewhere
  const stand = (notebook, isQueued) => {
    const over = new AbortController();
    let quiet = 0;
    const timer = setInterval(() => {
      quiet = isQueued() ? 0 : quiet + 1;
      if (quiet < 3) return;
      stop();
      show(notebook);
    }, STEP);
    const stop = () => {
      clearInterval(timer);
      over.abort();
    };
    for (const kind of ['wheel', 'keydown', 'pointerdown']) notebook.addEventListener(kind, stop, { signal: over.signal });
  };

  const show = (notebook) => {
    const place = notebook.querySelector('.jp-WindowedPanel-outer') ?? notebook;
    place.scrollTop = 0;
    // widgets are drawn a while after their cell is done
    const look = (tries) => setTimeout(() => {
      const verdict = notebook.querySelector('.verdict');
      if (!verdict) {
        if (tries > 0) look(tries - 1);
        return;
      }
      // its cell becomes the active one, as by a click, so that a key does not lead back to the last
      for (const kind of ['mousedown', 'mouseup']) verdict.dispatchEvent(new MouseEvent(kind, { bubbles: true }));
      verdict.scrollIntoView({ block: 'start' });
      place.scrollTop -= 12;
    }, STEP);
    look(PATIENCE);
  };

  begin(PATIENCE);
})();
