// What the server refuses or fails at, in words: Gradio would show the bare word "Error", or nothing.
(() => {
  const plainFetch = window.fetch;
  const REFUSED = [413, 429, 503]; // too long, too often, too many at once

  const show = (report) => {
    const dialog = document.getElementById("studio-failure");
    if (!dialog || dialog.open) return;
    dialog.querySelector("textarea").value = report;
    dialog.showModal();
  };

  // In the page from the start: a screen reader says only what becomes of an element that it knows.
  const refusal = document.createElement("p");
  refusal.id = "studio-refusal";
  refusal.setAttribute("role", "status");
  const place = () => document.body.append(refusal);
  if (document.body) place();
  else document.addEventListener("DOMContentLoaded", place);

  window.fetch = async (...request) => {
    const address = String(request[0]?.url ?? request[0]);
    const isEvent = address.includes("/run/");
    const isSent = isEvent || address.includes("/queue/join") || address.includes("/gradio_api/upload?");
    try {
      const response = await plainFetch(...request);
      const { error, detail } =
        isSent && !response.ok ? await response.clone().json().catch(() => ({})) : {};
      if (isSent) refusal.textContent = REFUSED.includes(response.status) ? (error ?? detail ?? "Busy; try again.") : "";
      if (isEvent && response.status >= 500 && response.status !== 503) {
        show(error ?? `No error id\nTime: ${new Date().toISOString()}\nWhat I did: `);
      }
      return response;
    } catch (error) {
      if (isEvent) show(`The server did not answer\nTime: ${new Date().toISOString()}\nWhat I did: `);
      throw error;
    }
  };
})();
