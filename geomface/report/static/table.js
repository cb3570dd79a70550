// Tables of very many rows: pages, sorting by a column, and rows found by their first cell.
(function () {
  "use strict";
  document.querySelectorAll(".paged").forEach(function (box) {
    var all = JSON.parse(box.querySelector("script").textContent);
    var size = Number(box.dataset.page);
    var body = box.querySelector("tbody");
    var total = body.querySelector("tr.total");
    var heads = Array.from(box.querySelectorAll("th"));
    var rows = all, page = 0, column = -1, up = true;

    var pager = document.createElement("div");
    pager.className = "pager";
    var find = document.createElement("input");
    find.type = "search";
    find.placeholder = "find a " + heads[0].textContent;
    find.setAttribute("aria-label", find.placeholder);
    var said = document.createElement("span");
    said.setAttribute("aria-live", "polite");
    pager.append(button("First", function () { page = 0; }),
      button("Previous", function () { page -= 1; }), said,
      button("Next", function () { page += 1; }),
      button("Last", function () { page = last(); }), find);
    box.prepend(pager);

    function button(text, move) {
      var made = document.createElement("button");
      made.type = "button";
      made.textContent = text;
      made.addEventListener("click", function () { move(); draw(); });
      return made;
    }

    function last() { return Math.max(0, Math.ceil(rows.length / size) - 1); }

    function draw() {
      page = Math.min(Math.max(page, 0), last());
      var first = page * size;
      var lines = rows.slice(first, first + size).map(function (row) {
        var line = document.createElement("tr");
        row.forEach(function (text, index) {
          var cell = document.createElement("td");
          if (index === 0) { cell.className = "text"; }
          cell.textContent = text;
          line.append(cell);
        });
        return line;
      });
      if (total) { lines.push(total); }
      body.replaceChildren.apply(body, lines);
      var end = Math.min(first + size, rows.length);
      said.textContent = rows.length
        ? (first + 1).toLocaleString("en") + " to " + end.toLocaleString("en") + " of "
          + rows.length.toLocaleString("en")
        : "none";
      var buttons = pager.querySelectorAll("button");
      buttons[0].disabled = buttons[1].disabled = page === 0;
      buttons[2].disabled = buttons[3].disabled = page === last();
    }

    // What is no number comes last, whichever way numbers are sorted.
    function compare(one, other) {
      var a = one[column], b = other[column];
      if (column === 0) { return (up ? 1 : -1) * (a < b ? -1 : a > b ? 1 : 0); }
      var x = parseFloat(a), y = parseFloat(b);
      if (isNaN(x) || isNaN(y)) { return (isNaN(x) ? 1 : 0) - (isNaN(y) ? 1 : 0); }
      return up ? x - y : y - x;
    }

    function choose() {
      var word = find.value.trim().toLowerCase();
      rows = all.filter(function (row) { return row[0].toLowerCase().indexOf(word) >= 0; });
      if (column >= 0) { rows.sort(compare); }
      page = 0;
      draw();
    }

    find.addEventListener("input", choose);
    heads.forEach(function (head, index) {
      head.tabIndex = 0;
      function sort() {
        up = column === index ? !up : index === 0;
        column = index;
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        choose();
      }
      head.addEventListener("click", sort);
      head.addEventListener("keydown", function (event) {
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sort(); }
      });
    });
    draw();
  });
})();
