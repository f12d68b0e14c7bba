/** What is nicer with JavaScript on every page: blocks of code have a button that copies them. */
for (const block of document.querySelectorAll(".copy .code")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(block.querySelector("code").textContent);
      button.textContent = "Copied";
    } catch {
      // Browsers refuse on pages that are not secure: then the text is marked, for the keyboard.
      getSelection().selectAllChildren(block.querySelector("code"));
      button.textContent = "Marked";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  block.append(button);
}
