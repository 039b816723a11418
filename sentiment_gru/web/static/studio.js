// What the server refuses or fails at, in words: Gradio would show the bare word "Error", or nothing.
(() => {
  const plainFetch = window.fetch;
  const REFUSED = [413, 429, 503]; // too long, too often, too many at once
  const BUSY =
    "Busy: too many visitors are here at this moment. Nothing you entered is lost; try again in a few seconds.";

  const show = (report) => {
    const dialog = document.getElementById("studio-failure");
    if (!dialog || dialog.open) return;
    dialog.querySelector("textarea").value = report;
    dialog.showModal();
  };

  // Made when it is needed, as Gradio fills the page anew; an alert is read out when it appears, too.
  const place = () => {
    const found = document.getElementById("studio-refusal") ?? document.createElement("p");
    found.id = "studio-refusal";
    found.setAttribute("role", "alert");
    if (!found.isConnected) document.body.append(found);
    return found;
  };
  let goes;
  const refuse = (words) => {
    place().textContent = words;
    clearTimeout(goes);
    goes = setTimeout(() => (place().textContent = ""), 10000);
  };

  window.fetch = async (...request) => {
    const address = String(request[0]?.url ?? request[0]);
    const isEvent = address.includes("/run/");
    const isSent = isEvent || address.includes("/queue/join") || address.includes("/gradio_api/upload?");
    try {
      const response = await plainFetch(...request);
      const { error, detail } =
        isSent && !response.ok ? await response.clone().json().catch(() => ({})) : {};
      const words = error ?? (response.status === 503 ? BUSY : detail) ?? BUSY; // a full queue gives a number only
      if (isSent && REFUSED.includes(response.status)) refuse(words);
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
