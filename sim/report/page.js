// Everything on the page can be read without this. It adds zoom, and a choice of replication.
for (const figure of document.querySelectorAll("figure.large")) {
  const picture = figure.querySelector(".picture");
  let zoom = 1;
  const bar = document.createElement("div");
  for (const [text, name, factor] of [["+", "Zoom in", 1.5], ["−", "Zoom out", 1 / 1.5]]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.setAttribute("aria-label", name);
    button.addEventListener("click", () => {
      zoom = Math.min(Math.max(zoom * factor, 1), 12);
      picture.style.setProperty("--zoom", zoom);
    });
    bar.append(button, " ");
  }
  figure.prepend(bar);
}
const choice = document.getElementById("replication");
choice?.addEventListener("change", () => {
  for (const part of document.querySelectorAll(".replication")) {
    part.hidden = part.dataset.replication !== choice.value;
  }
});
