// Show why the server refused or failed: Gradio would show the bare word "Error", or nothing.
(() => {
  const plainFetch = window.fetch;
  const REFUSED = [413, 429, 503]; // too large, too many requests, too busy
  const BUSY =
    "Busy: too many visitors are here at this moment. Nothing you entered is lost; try again in a few seconds.";

  const showReport = (report) => {
    const dialog = document.getElementById("studio-failure");
    if (!dialog || dialog.open) return;
    dialog.querySelector("textarea").value = report;
    dialog.showModal();
  };

  // Created when it is first needed, as Gradio replaces the contents of the page when it loads.
  const alertElement = () => {
    const element = document.getElementById("studio-refusal") ?? document.createElement("p");
    element.id = "studio-refusal";
    element.setAttribute("role", "alert");
    if (!element.isConnected) document.body.append(element);
    return element;
  };
  let timer;
  const showRefusal = (message) => {
    alertElement().textContent = message;
    clearTimeout(timer);
    timer = setTimeout(() => (alertElement().textContent = ""), 10000);
  };

  window.fetch = async (...request) => {
    const address = String(request[0]?.url ?? request[0]);
    const isEvent = address.includes("/run/");
    const isSent = isEvent || address.includes("/queue/join") || address.includes("/gradio_api/upload?");
    try {
      const response = await plainFetch(...request);
      const { error, detail } =
        isSent && !response.ok ? await response.clone().json().catch(() => ({})) : {};
      const message = error ?? (response.status === 503 ? BUSY : detail) ?? BUSY; // a full queue gives only its size
      if (isSent && REFUSED.includes(response.status)) showRefusal(message);
      if (isEvent && response.status >= 500 && response.status !== 503) {
        showReport(error ?? `No error id\nTime: ${new Date().toISOString()}\nWhat I did: `);
      }
      return response;
    } catch (error) {
      if (isEvent) showReport(`The server did not answer\nTime: ${new Date().toISOString()}\nWhat I did: `);
      throw error;
    }
  };
})();
