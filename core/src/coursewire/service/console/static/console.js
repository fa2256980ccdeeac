// Everything works without this file; it adds what a page alone cannot: a theme that stays, and live progress.
const root = document.documentElement;
const kept = localStorage.getItem("theme");
if (kept) root.dataset.theme = kept;

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-theme-switch]")) return;
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
});

// A part of the page that says where its newer form is asks for it until it says so no more.
const refresh = async (part) => {
  const wait = Number(part.dataset.every || 1000);
  try {
    const answer = await fetch(part.dataset.live, { headers: { Accept: "text/html" } });
    if (answer.ok) {
      const box = document.createElement("template");
      box.innerHTML = await answer.text();
      const fresh = box.content.firstElementChild;
      part.replaceWith(fresh);
      part = fresh;
    }
  } catch {
    // The service may be starting again; the next try tells.
  }
  if (part.dataset.live) setTimeout(() => refresh(part), wait);
};
for (const part of document.querySelectorAll("[data-live]")) setTimeout(() => refresh(part), 500);
