"use strict";
// Paper has nothing to click: open every table before printing and close it again after.
window.addEventListener("beforeprint", function () {
  document.querySelectorAll("details:not([open])").forEach(function (closed) {
    closed.dataset.opened = "for-print";
    closed.open = true;
  });
});
window.addEventListener("afterprint", function () {
  document.querySelectorAll("details[data-opened]").forEach(function (opened) {
    opened.open = false;
    delete opened.dataset.opened;
  });
});
