// Runs before anything is drawn, so that a chosen theme does not flash: a classic
// script without imports.
{
  let chosen: string | null = null;
  try {
    chosen = localStorage.getItem("weft.theme");
  } catch { /* storage may be closed */ }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
}
export {};
