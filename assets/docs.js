/** Starts the documentation. The library is loaded first: it leaves its name in the page's window. */

/** What people without a mouse or a screen miss in what the library draws: places that scroll, links without words. */
function mend() {
  for (const element of place.querySelectorAll(
    ".overflow-x-auto, .overflow-y-auto, .endpoints, .custom-scroll",
  ))
    if (!element.hasAttribute("tabindex")) element.tabIndex = 0;
  for (const link of place.querySelectorAll("a[href]:not([aria-label])"))
    if (link.textContent.trim() === "") link.setAttribute("aria-label", link.hostname || "Link");
  for (const button of document.querySelectorAll("button:not([aria-label])"))
    if (button.innerText.trim() === "") button.setAttribute("aria-label", "More");
  // What it is called must hold what stands on it.
  for (const button of place.querySelectorAll(".show-more[aria-label]")) button.removeAttribute("aria-label");
}

const place = document.getElementById("docs");
const script = document.createElement("script");
script.src = place.dataset.script;
script.addEventListener("load", () => {
  globalThis.Scalar.createApiReference(place, {
    url: place.dataset.openapi,
    // Nothing is asked of anybody else: no fonts, no counting, no service that requests are sent through.
    withDefaultFonts: false,
    telemetry: false,
    proxyUrl: "",
    showDeveloperTools: "never",
    hideClientButton: true,
    agent: { disabled: true },
    mcp: { disabled: true },
    documentDownloadType: "json",
    defaultOpenFirstTag: true,
    hideTestRequestButton: false,
    // Its own colours are a little too pale for small text.
    customCss:
      ".light-mode { --scalar-color-2: #5c5c5c; --scalar-color-3: #5c5c5c; --scalar-color-blue: #0067a8; --scalar-sidebar-search-color: #5c5c5c } .dark-mode { --scalar-color-3: #a6a6a6; --scalar-sidebar-search-color: #a6a6a6 } .sidebar-search-placeholder { color: inherit }",
  });
  new MutationObserver(mend).observe(place, { childList: true, subtree: true });
});
document.head.append(script);
