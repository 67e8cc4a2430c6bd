"use strict";
// The page is drawn from the JSON in #data. Everything from programs goes through textContent, never through innerHTML.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { run, tasks, rows, styles } = data;
  const ORDER = ["failed", "timed out", "error", "interrupted", "blocked", "flaky", "skipped", "cached", "passed"];
  const SIGNS = { passed: "✓", flaky: "≈", failed: "✗", "timed out": "◔", error: "!", skipped: "○", cached: "=", blocked: "⊘", interrupted: "■" };
  const MOST_ITEMS = 400; // drawn at once in the list; the rest on request
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const $ = (id) => document.getElementById(id);

  function el(name, attributes, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (key === "class") node.className = value;
      else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else if (key === "style") node.style.cssText = value;
      else node.setAttribute(key, value === true ? "" : value);
    }
    for (const child of children.flat()) if (child !== null && child !== undefined && child !== "") node.append(child);
    return node;
  }
  const slug = (outcome) => outcome.replace(" ", "-");
  const seconds = (s) => (s === null ? "" : s < 1 ? `${Math.round(s * 1000)} ms` : s < 60 ? `${s.toFixed(2)} s` : `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`);

  // -- header

  function drawHead() {
    const bad = ORDER.slice(0, 5).some((outcome) => run.counts[outcome]);
    const verdict = run.interrupted || !run.complete ? "interrupted" : bad ? "failed" : tasks.length ? "passed" : "skipped";
    const words = { interrupted: run.complete ? "interrupted" : "did not end", failed: "failed", passed: "passed", skipped: "nothing ran" };
    const counts = ORDER.filter((o) => run.counts[o]).map((o) => el("span", { class: `tag ${slug(o)}` }, `${run.counts[o]} ${o}`));
    $("head").append(...[
      el("div", { class: "top" }, el("h1", {}, "orchestro"), el("span", { class: `verdict ${slug(verdict)}` }, words[verdict]), counts),
      el("div", { class: "meta" },
        el("span", {}, new Date(run.at * 1000).toLocaleString()), el("span", {}, seconds(run.duration)),
        el("span", {}, `${run.workers} workers, ${run.scheduler}`), el("span", {}, run.machine),
        el("span", { class: "mono" }, run.argv.join(" ")), el("span", {}, `run ${run.id}`)),
      run.analysis.length ? el("p", { class: "analysis" }, run.analysis.join(" ")) : null,
      run.leftOut ? el("p", { class: "note" }, `${run.leftOut} replays were left out to keep this file small; the recordings are in the run's directory.`) : null,
      run.diagnostics.map((text) => el("p", { class: "note" }, text)),
      run.obsolete.length ? el("p", { class: "note" }, `Snapshots that nothing uses: ${run.obsolete.join(", ")}`) : null,
    ].flat().filter(Boolean));
  }

  // -- timeline

  function drawTimeline() {
    const bars = tasks.flatMap((task) => task.attempts.map((attempt) => ({ task, attempt })));
    if (!bars.length) { $("timeline").remove(); return; }
    const total = Math.max(run.duration, ...bars.map(({ attempt }) => attempt.start + (attempt.duration || 0)), 1e-6);
    const lanes = el("div", { class: "lanes" });
    const tip = el("div", { id: "tip" }, "Each bar is an attempt; choose one to see it.");
    const count = 1 + bars.reduce((most, { attempt }) => Math.max(most, attempt.worker), 0);
    for (let worker = 0; worker < count; worker += 1) {
      const lane = el("div", { class: "lane" }, el("i", {}, String(worker)));
      for (const { task, attempt } of bars) {
        if (attempt.worker !== worker) continue;
        const width = attempt.duration === null ? total - attempt.start : attempt.duration;
        const text = `${task.name}${attempt.n > 1 ? `, attempt ${attempt.n}` : ""}: ${attempt.outcome}, ${seconds(attempt.duration)} (from ${seconds(attempt.start)})`;
        const say = () => { tip.textContent = text; };
        lane.append(el("button", {
          class: `bar ${slug(attempt.outcome)}`, "data-id": task.id, "aria-label": text, title: text,
          tabindex: bars.length > 200 ? -1 : null,
          style: `left:${(100 * attempt.start) / total}%;width:${Math.max(0, (100 * width) / total)}%`,
          onclick: () => choose(task.id, attempt.n), onmouseenter: say, onfocus: say,
        }));
      }
      lanes.append(lane);
    }
    $("timeline").append(lanes, el("div", { class: "axis" }, [0, 0.25, 0.5, 0.75, 1].map((part) => el("span", {}, seconds(part * total)))), tip);
  }

  // -- list

  const state = { text: "", outcomes: new Set(), sort: "status", open: new Set(), id: null, all: false };

  function visible() {
    const words = state.text.toLowerCase().split(/\s+/).filter(Boolean);
    const found = tasks.filter((task) => {
      if (state.outcomes.size && !state.outcomes.has(task.outcome)) return false;
      const hay = `${task.name} ${task.file} ${task.tags.join(" ")}`.toLowerCase();
      return words.every((word) => hay.includes(word));
    });
    const keys = {
      status: (a, b) => ORDER.indexOf(a.outcome) - ORDER.indexOf(b.outcome),
      duration: (a, b) => b.duration - a.duration,
      name: (a, b) => a.name.localeCompare(b.name),
      order: () => 0,
    };
    return found.sort(keys[state.sort]);
  }

  function drawChips() {
    for (const outcome of ORDER.filter((o) => run.counts[o])) {
      $("chips").append(el("button", {
        class: slug(outcome), "aria-pressed": "false",
        onclick: (event) => {
          const on = !state.outcomes.delete(outcome);
          if (on) state.outcomes.add(outcome);
          event.currentTarget.setAttribute("aria-pressed", String(on));
          drawList();
        },
      }, `${run.counts[outcome]} ${outcome}`));
    }
  }

  function item(task, child) {
    return el("li", { class: child ? "child" : null }, el("button", {
      "data-id": task.id, "aria-current": String(task.id === state.id), class: slug(task.outcome), title: `${task.name}: ${task.outcome}`, onclick: () => choose(task.id),
    }, el("span", { class: "sign" }, SIGNS[task.outcome] || "?"), el("span", { class: "name" }, task.name),
    el("span", { class: "time" }, task.attempts.length ? seconds(task.duration) : task.outcome)));
  }

  function drawList() {
    const list = $("list");
    list.replaceChildren();
    const shown = visible();
    const groups = new Map();
    for (const task of shown) if (task.group) groups.set(task.group, [...(groups.get(task.group) || []), task]);
    const agrees = (group) => groups.get(group).length > 1 && new Set(groups.get(group).map((t) => t.outcome)).size === 1;
    const drawn = new Set();
    let count = 0;
    for (const task of shown) {
      if (count >= MOST_ITEMS && !state.all) {
        list.append(el("li", {}, el("button", { onclick: () => { state.all = true; drawList(); } }, "", `show ${shown.length - count} more`)));
        break;
      }
      count += 1;
      if (!task.group || !agrees(task.group)) { list.append(item(task)); continue; }
      if (drawn.has(task.group)) continue;
      drawn.add(task.group);
      const members = groups.get(task.group);
      const open = state.open.has(task.group);
      list.append(el("li", {}, el("button", {
        class: slug(task.outcome), "aria-expanded": String(open),
        onclick: () => { if (!state.open.delete(task.group)) state.open.add(task.group); drawList(); },
      }, el("span", { class: "sign" }, open ? "▾" : "▸"), el("span", { class: "name" }, task.group),
      el("span", { class: "count" }, `${members.length} combinations ${task.outcome}`))));
      if (open) for (const member of members) list.append(item(member, true));
    }
    if (!shown.length) list.append(el("li", { class: "empty" }, tasks.length ? "Nothing matches the filter." : "This run had no scenarios."));
  }

  // -- detail

  let stopPlayer = () => {};

  function choose(id, number) {
    const task = byId.get(id);
    if (!task) return;
    state.id = id;
    history.replaceState(null, "", `#${encodeURIComponent(id)}`);
    for (const node of document.querySelectorAll("#list [data-id]")) {
      node.setAttribute("aria-current", String(node.dataset.id === id));
      if (node.dataset.id === id) {
        const list = $("list"); // only the list scrolls, not the page
        const top = node.parentElement.offsetTop - list.offsetTop;
        if (top < list.scrollTop || top + node.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = top - list.clientHeight / 3;
      }
    }
    for (const node of document.querySelectorAll("#timeline .bar")) node.classList.toggle("current", node.dataset.id === id);
    drawDetail(task, number);
  }

  function drawDetail(task, number) {
    stopPlayer();
    const attempt = task.attempts.find((a) => a.n === number) || task.attempts[task.attempts.length - 1];
    const main = $("detail");
    main.replaceChildren(
      el("h2", {}, task.name),
      el("div", { class: "sub" },
        el("span", { class: `tag ${slug(task.outcome)}` }, `${SIGNS[task.outcome] || ""} ${task.outcome}`),
        task.attempts.length ? el("span", {}, seconds(task.duration)) : null,
        el("code", {}, `${task.file}${task.line ? `:${task.line}` : ""}`),
        task.needs.length ? el("span", {}, `needs ${task.needs.join(", ")}`) : null,
        task.params.map(([key, value]) => el("span", { class: "pill" }, `${key}=${value}`)),
        task.tags.map((tag) => el("span", { class: "pill" }, tag))),
      ...[task.description ? el("p", {}, task.description) : null,
        task.reason ? el("p", { class: `tag ${slug(task.outcome)}`, style: "white-space:normal" }, task.reason) : null,
        task.attempts.length > 1 ? el("div", { class: "tabs", role: "tablist" }, task.attempts.map((a) => el("button", {
          role: "tab", "aria-selected": String(a === attempt), onclick: () => drawDetail(task, a.n),
        }, `attempt ${a.n}: ${a.outcome}`))) : null].filter(Boolean),
    );
    if (!attempt) return;
    if (attempt.failure) main.append(failureCard(attempt));
    if (attempt.findings.length) {
      main.append(el("div", { class: "card flaky" }, el("b", {}, "Warnings"), attempt.findings.map(([code, message]) => el("div", { class: "finding" }, el("b", {}, code), ` ${message}`))));
    }
    main.append(playCard(attempt));
    if (attempt.shots.length) {
      main.append(el("h3", {}, "Screenshots"), el("div", { class: "shots" }, attempt.shots.map(([name, source]) => el("figure", {}, el("img", { src: source, alt: `screenshot ${name}` }), el("figcaption", {}, name)))));
    }
  }

  function failureCard(attempt) {
    const f = attempt.failure;
    const pair = (term, value) => (value ? [el("dt", {}, term), el("dd", { class: "mono" }, value)] : []);
    const short = !f.diff.length;
    const card = el("div", { class: `card ${slug(attempt.outcome)}` },
      el("div", { class: "message" }, f.message),
      el("dl", {}, pair("at", `${f.where}${f.step ? `  (${f.step})` : ""}`), pair("waited for", f.waited), pair("nearest", f.nearest),
        short ? [pair("expected", f.expected), pair("actual", f.actual)].flat() : [], pair("last inputs", f.inputs.join("  ·  ")), pair("hint", f.hint)));
    if (f.diff.length) {
      card.append(el("pre", {}, f.diff.map((line) => el("span", { class: line.startsWith("+") ? "add" : line.startsWith("-") ? "del" : /^(@@|\?)/.test(line) ? "hunk" : "same" }, line || " "))));
    }
    if (f.output && !attempt.replay) card.append(el("pre", {}, f.output));
    return card;
  }

  function playCard(attempt) {
    const steps = el("ol", { class: "steps", "aria-label": "Steps" });
    let phase = "steps";
    const buttons = [];
    let player = null;
    attempt.steps.forEach((step, index) => {
      if (step.phase !== phase) { phase = step.phase; steps.append(el("li", { class: "phase" }, phase)); }
      const button = el("button", { onclick: () => player && player.toStep(index) },
        el("span", { class: step.ok ? "ok" : "no" }, step.ok ? "✓" : "✗"), el("span", { class: "label" }, step.label), el("span", { class: "time" }, seconds(step.duration)),
        step.why || step.note ? el("span", { class: "why" }, [step.why, step.note].filter(Boolean).join(" — ")) : null);
      buttons.push(button);
      steps.append(el("li", {}, button));
    });
    if (!attempt.steps.length) steps.append(el("li", { class: "phase" }, "no step was reached"));
    const side = el("div", { class: "player" });
    if (attempt.replay && attempt.replay.frames.length) {
      player = makePlayer(attempt, buttons, side);
    } else if (attempt.failure && attempt.failure.screen.length) {
      side.append(el("div", { class: "term" }, attempt.failure.screen.map((line) => el("div", { class: "row" }, line || " "))));
    } else {
      side.append(el("p", { class: "empty-page" }, attempt.missing ? `The recording is ${attempt.missing}.` : "Nothing was printed, so there is nothing to replay."));
    }
    return el("div", { class: "play" }, steps, side);
  }

  // -- replay

  function drawRow(node, number) {
    node.replaceChildren();
    if (number < 0 || number === undefined) return;
    for (const [text, style, width] of rows[number]) node.append(el("span", { style: `width:${width}ch;${styles[style]}` }, text));
  }

  function makePlayer(attempt, buttons, side) {
    const { cols, rows: height, frames, inputs } = attempt.replay;
    // A moment is worth stopping at: a new frame, an input, the end of a step.
    const times = new Set([...frames.map((f) => f[0]), ...inputs.map((i) => i[0]), ...attempt.steps.map((s) => s.start + s.duration)]);
    const moments = [...times].sort((a, b) => a - b);
    const term = el("div", { class: "term", role: "img", "aria-label": "terminal", tabindex: 0 });
    const lines = Array.from({ length: height }, () => el("div", { class: "row" }));
    const cursor = el("div", { class: "cursor" });
    term.append(el("div", { style: `width:${cols}ch` }, lines));
    const keys = el("div", { class: "keys" });
    const clock = el("span", { class: "clock" });
    const slider = el("input", { type: "range", min: 0, max: Math.max(0, moments.length - 1), value: 0, "aria-label": "moment" });
    const speed = el("select", { "aria-label": "speed" }, [0.25, 0.5, 1, 2, 4].map((s) => el("option", { value: s, selected: s === 1 }, `${s}×`)));
    const play = el("button", { "aria-label": "play" }, "▶");
    let shown = -1;
    let drawn = [];
    let at = 0;
    let timer = 0;

    function frameBefore(time) {
      let low = 0;
      let high = frames.length;
      while (low < high) { const middle = (low + high) >> 1; if (frames[middle][0] <= time + 1e-9) low = middle + 1; else high = middle; }
      return low - 1;
    }

    function go(index) {
      at = Math.min(Math.max(0, index), moments.length - 1);
      const time = moments[at] || 0;
      const frame = frameBefore(time);
      if (frame !== shown) {
        const wanted = frame < shown ? [] : drawn.slice();
        for (let i = frame < shown ? 0 : shown + 1; i <= frame; i += 1) for (const [row, number] of frames[i][1]) wanted[row] = number;
        lines.forEach((node, row) => { if (wanted[row] !== drawn[row]) drawRow(node, wanted[row] === undefined ? -1 : wanted[row]); });
        drawn = wanted;
        shown = frame;
        cursor.remove();
        if (frame >= 0 && frames[frame][2] >= 0 && lines[frames[frame][3]]) { cursor.style.left = `${frames[frame][2]}ch`; lines[frames[frame][3]].append(cursor); }
      }
      slider.value = at;
      clock.textContent = `${time.toFixed(2)} s`;
      const typed = inputs.filter((i) => i[0] <= time + 1e-9).slice(-6);
      keys.replaceChildren("typed: ", ...(typed.length ? typed.map(([when, text]) => el("kbd", { class: Math.abs(when - time) < 1e-6 ? "new" : null }, text)) : ["nothing yet"]));
      attempt.steps.forEach((step, i) => buttons[i].classList.toggle("now", step.start <= time + 1e-9 && (time <= step.start + step.duration + 1e-9 || i === attempt.steps.length - 1)));
      const now = buttons.filter((b) => b.classList.contains("now"));
      now.slice(0, -1).forEach((b) => b.classList.remove("now"));
      if (now.length) { const box = now[now.length - 1]; const list = box.closest("ol"); if (box.offsetTop < list.scrollTop || box.offsetTop + box.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = box.offsetTop - 40; }
    }

    function stop() { clearTimeout(timer); timer = 0; play.textContent = "▶"; play.setAttribute("aria-label", "play"); }
    function tick() {
      if (at >= moments.length - 1) { stop(); return; }
      const gap = Math.min(1, moments[at + 1] - moments[at]) / Number(speed.value);
      timer = setTimeout(() => { go(at + 1); tick(); }, Math.max(16, gap * 1000));
    }
    play.addEventListener("click", () => {
      if (timer) { stop(); return; }
      if (at >= moments.length - 1) go(0);
      play.textContent = "❚❚";
      play.setAttribute("aria-label", "pause");
      tick();
    });
    slider.addEventListener("input", () => { stop(); go(Number(slider.value)); });
    term.addEventListener("keydown", (event) => {
      if (event.key === "ArrowRight") go(at + 1); else if (event.key === "ArrowLeft") go(at - 1); else if (event.key === " ") play.click(); else return;
      event.preventDefault();
    });
    side.append(term, el("div", { class: "bar-controls" }, play,
      el("button", { "aria-label": "previous moment", onclick: () => { stop(); go(at - 1); } }, "‹"),
      el("button", { "aria-label": "next moment", onclick: () => { stop(); go(at + 1); } }, "›"), slider, clock, speed), keys,
    attempt.cast ? el("div", { class: "sub mono" }, attempt.cast) : null);
    stopPlayer = stop;
    // The whole width of the terminal is seen, in letters as large as fit.
    const fit = () => { term.style.fontSize = `${Math.min(14, Math.max(6, (side.clientWidth - 26) / cols / 0.603))}px`; };
    new ResizeObserver(fit).observe(side);
    requestAnimationFrame(fit);
    // What came after the last step is only how the program was stopped.
    const last = attempt.steps.length ? attempt.steps[attempt.steps.length - 1] : null;
    go(last ? moments.reduce((best, m, i) => (m <= last.start + last.duration + 1e-9 ? i : best), 0) : moments.length - 1);
    // A program that has left its full screen shows nothing any more: begin where there was something to see.
    if (attempt.outcome === "passed") while (at > 0 && drawn.every((number) => number === undefined || !rows[number].some((run) => run[0].trim()))) go(at - 1);
    return { toStep(index) { stop(); const end = attempt.steps[index].start + attempt.steps[index].duration; let best = 0; moments.forEach((m, i) => { if (m <= end + 1e-9) best = i; }); go(best); } };
  }

  // -- start

  drawHead();
  drawTimeline();
  drawChips();
  drawList();
  $("filter").addEventListener("input", (event) => { state.text = event.target.value; state.all = false; drawList(); });
  $("sort").addEventListener("change", (event) => { state.sort = event.target.value; drawList(); });
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.key === "/") { $("filter").focus(); event.preventDefault(); return; }
    const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    if (!step || event.target.closest(".term")) return;
    const ids = [...document.querySelectorAll("#list [data-id]")].map((node) => node.dataset.id);
    const next = ids[Math.min(Math.max(0, ids.indexOf(state.id) + step), ids.length - 1)];
    if (next) { choose(next); event.preventDefault(); }
  });
  window.addEventListener("hashchange", () => choose(decodeURIComponent(location.hash.slice(1))));
  const wanted = decodeURIComponent(location.hash.slice(1));
  const first = byId.has(wanted) ? wanted : (visible()[0] || {}).id;
  if (first) choose(first);
  else $("detail").append(el("p", { class: "empty-page" }, "This run had no scenarios."));
})();
