"use strict";
// SVG marks take CSS variables as colours, so one drawing serves light, dark and print.
document.querySelectorAll(".panel").forEach(function (panel) {
  var target = panel.querySelector(".chart");
  var spec = JSON.parse(panel.querySelector("script").textContent);
  var tooltip = { theme: "page", disableDefaultStyle: true };
  vegaEmbed(target, spec, { renderer: "svg", actions: false, defaultStyle: false, tooltip: tooltip }).catch(
    function (error) {
      target.textContent = "This chart could not be drawn: " + error.message;
    }
  );
});
