// Shows what keyaudit/explore/chooser.py tells, and sends back what is done. All text is set as text, never as HTML.

const make = (kind, name, text, parent) => {
  const one = document.createElement(kind);
  if (name) one.className = name;
  if (text !== undefined) one.textContent = text;
  parent?.append(one);
  return one;
};

function render({ model, el }) {
  const say = model.get('texts');
  el.classList.add('keyaudit-chooser');
  // keys that are typed here are no shortcuts of JupyterLab
  el.setAttribute('data-lm-suppress-shortcuts', 'true');
  const things = make('div', 'things', undefined, el);
  const told = make('p', 'told', undefined, el);
  told.setAttribute('role', 'status');
  const walker = make('div', 'walker', undefined, el);
  let at = 0, shown = '', waiting;

  const button = (text, parent, act) => {
    const one = make('button', '', text, parent);
    one.type = 'button';
    one.addEventListener('click', act);
    return one;
  };

  const drawThings = () => {
    things.replaceChildren();
    for (const thing of model.get('things')) {
      make('span', 'name', thing.name, things);
      make('span', 'value', thing.value, things);
      const acts = make('span', 'acts', undefined, things);
      button(say.open, acts, () => model.send({ do: 'walk', thing: thing.id }))
        .setAttribute('aria-label', `${thing.name}: ${say.open}`);
      for (const other of thing.buttons) {
        const one = button(other.name, acts, () => model.send({ do: 'preset', thing: thing.id, value: other.value }));
        one.setAttribute('aria-label', `${thing.name}: ${other.name}`);
        one.setAttribute('aria-pressed', String(other.now));
      }
    }
  };

  const drawTold = () => {
    told.textContent = model.get('told');
    told.dataset.kind = model.get('kind');
    el.setAttribute('aria-busy', String(model.get('kind') === 'busy'));
  };

  const drawWalk = () => {
    const walk = model.get('walk');
    if (!walk.crumbs) {
      walker.replaceChildren();
      shown = '';
      return;
    }
    const place = JSON.stringify([walk.thing, walk.crumbs]);
    if (place !== shown) at = 0;
    at = Math.max(0, Math.min(at, walk.rows.length - 1));
    // the field in which somebody is typing stays
    const isSame = place === shown && walker.querySelector('.find');
    shown = place;
    if (!isSame) {
      walker.replaceChildren();
      make('p', 'title', walk.title, walker);
      drawCrumbs(walk);
      drawFind(walk);
    }
    for (const old of walker.querySelectorAll('.rows, .acts, .note')) old.remove();
    drawRows(walk);
    drawActs(walk);
    make('p', 'note', walk.note, walker);
    if (!isSame) walker.querySelector('.rows').focus();
  };

  const drawCrumbs = (walk) => {
    const crumbs = make('nav', 'crumbs', undefined, walker);
    crumbs.setAttribute('aria-label', say.up);
    walk.crumbs.forEach((name, n) => {
      if (n) make('span', '', ' / ', crumbs);
      const one = button(name, crumbs, () => ask('crumb', n));
      if (n === walk.crumbs.length - 1) one.setAttribute('aria-current', 'location');
    });
  };

  const drawFind = (walk) => {
    const bar = make('div', 'bar', undefined, walker);
    const words = make('input', 'find', undefined, bar);
    words.type = 'search';
    words.placeholder = say.find;
    words.setAttribute('aria-label', say.find);
    const label = make('label', '', undefined, bar);
    const hidden = make('input', '', undefined, label);
    hidden.type = 'checkbox';
    hidden.checked = walk.hidden;
    label.append(` ${say.hidden}`);
    const find = () => model.send({ do: 'find', words: words.value, hidden: hidden.checked });
    words.addEventListener('input', () => {
      clearTimeout(waiting);
      waiting = setTimeout(find, 150);
    });
    words.addEventListener('keydown', (event) => {
      if (event.key === 'ArrowDown' || event.key === 'Enter') walker.querySelector('.rows').focus();
      if (event.key === 'Escape') model.send({ do: 'close' });
    });
    hidden.addEventListener('change', find);
  };

  const drawRows = (walk) => {
    const rows = make('div', 'rows', undefined, walker);
    rows.setAttribute('role', 'listbox');
    rows.setAttribute('aria-label', say.list);
    rows.tabIndex = 0;
    if (!walk.rows.length) make('p', 'note', say.empty, rows);
    walk.rows.forEach((row, n) => {
      const one = make('div', 'row', undefined, rows);
      one.setAttribute('role', 'option');
      one.id = `keyaudit-${model.model_id ?? ''}-${n}`;
      make('span', 'name', row.open ? `${row.name}/` : row.name, one);
      make('span', 'kind', row.why && !row.open ? row.why : row.kind, one);
      one.setAttribute('aria-disabled', String(Boolean(row.why && !row.open)));
      one.addEventListener('click', () => stand(n));
      one.addEventListener('dblclick', () => enter(n));
    });
    rows.addEventListener('keydown', key);
    stand(at);
  };

  const drawActs = (walk) => {
    const acts = make('div', 'acts', undefined, walker);
    button(say.enter, acts, () => enter(at)).dataset.act = 'enter';
    button(say.choose, acts, () => ask('choose', at)).dataset.act = 'choose';
    if (walk.whole) button(say.whole, acts, () => ask('choose', -1));
    button(say.close, acts, () => model.send({ do: 'close' }));
    stand(at);
  };

  const ask = (what, n) => model.send({ do: what, at: n, turn: model.get('walk').turn });

  const stand = (n) => {
    const rows = walker.querySelector('.rows');
    const row = model.get('walk').rows[n];
    at = n;
    rows.querySelectorAll('.row').forEach((one, place) => one.setAttribute('aria-selected', String(place === n)));
    const here = rows.querySelectorAll('.row')[n];
    if (here) rows.setAttribute('aria-activedescendant', here.id);
    // the list is scrolled, and the workbook around it is not
    if (here && here.offsetTop < rows.scrollTop) rows.scrollTop = here.offsetTop;
    if (here && here.offsetTop + here.offsetHeight > rows.scrollTop + rows.clientHeight) {
      rows.scrollTop = here.offsetTop + here.offsetHeight - rows.clientHeight;
    }
    const [open, choose] = ['enter', 'choose'].map((name) => walker.querySelector(`[data-act=${name}]`));
    if (open) open.disabled = !row?.open;
    if (choose) choose.disabled = !row || Boolean(row.why);
  };

  const enter = (n) => {
    const row = model.get('walk').rows[n];
    if (row?.open) ask('enter', n);
    else if (row && !row.why) ask('choose', n);
  };

  const key = (event) => {
    const walk = model.get('walk');
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };
    if (event.key in steps) stand(Math.max(0, Math.min(at + steps[event.key], walk.rows.length - 1)));
    else if (event.key === 'Enter') enter(at);
    else if (event.key === 'Backspace') walk.crumbs.length > 1 && ask('crumb', walk.crumbs.length - 2);
    else if (event.key === 'Escape') model.send({ do: 'close' });
    else return;
    event.preventDefault();
  };

  const all = [['change:things', drawThings], ['change:told', drawTold], ['change:kind', drawTold], ['change:walk', drawWalk]];
  for (const [name, draw] of all) model.on(name, draw);
  for (const draw of [drawThings, drawTold, drawWalk]) draw();
  return () => {
    for (const [name, draw] of all) model.off(name, draw);
  };
}

export default { render };
