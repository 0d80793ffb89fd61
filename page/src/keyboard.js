// Keys that work anywhere on the page, except while text is typed or a dialog is open.

const STORED = "single keys"; // for as long as the tab is open

/**
 * @param keys functions by the name of the key; "Ctrl+z" and "Ctrl+Shift+z" for those with modifiers
 * @param singles the checkbox that says whether single letters, digits and signs count: whoever speaks to the computer,
 *   or hits keys by chance, must be able to do without them
 */
export function wireKeyboard(keys, singles) {
  singles.checked = sessionStorage.getItem(STORED) !== "off";
  singles.addEventListener("change", () => sessionStorage.setItem(STORED, singles.checked ? "on" : "off"));
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || document.querySelector("dialog[open]")) return;
    const action = keys[named(event)];
    if (named(event).length === 1 && !singles.checked) return;
    if (!action || (isTyping(event.target) && named(event) !== "Ctrl+s")) return;
    // Elsewhere Enter does what the element under the focus is for.
    if (event.key === "Enter" && !event.target.matches("body, [role=application]")) return;
    event.preventDefault();
    action();
  });
}

function named({ key, ctrlKey, metaKey, shiftKey }) {
  const letter = key.length === 1 ? key.toLowerCase() : key;
  if (!ctrlKey && !metaKey) return letter;
  return `Ctrl+${shiftKey ? "Shift+" : ""}${letter}`;
}

function isTyping(target) {
  return target.matches("textarea, select, input:not([type=range], [type=radio], [type=color])");
}
