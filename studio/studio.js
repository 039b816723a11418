// A handler that fails answers 500 with a report (guard.py); Gradio would show the bare word "Error".
(() => {
  const plainFetch = window.fetch;

  const show = (report) => {
    const dialog = document.getElementById("studio-failure");
    if (!dialog || dialog.open) return;
    dialog.querySelector("textarea").value = report;
    dialog.showModal();
  };

  // Too many visitors at once (capacity.py), or a full queue: said in a line that goes again.
  let goes;
  const sayBusy = (words) => {
    const line = document.getElementById("studio-busy");
    if (!line) return;
    line.textContent = words ?? line.dataset.words;
    clearTimeout(goes);
    goes = setTimeout(() => (line.textContent = ""), 10000);
  };

  window.fetch = async (...request) => {
    const address = String(request[0]?.url ?? request[0]);
    const isEvent = address.includes("/run/");
    try {
      const response = await plainFetch(...request);
      if ([429, 503].includes(response.status) && (isEvent || address.includes("/queue/join"))) {
        const { error } = await response.clone().json().catch(() => ({}));
        sayBusy(error);
      } else if (isEvent && response.status >= 500) {
        const { error } = await response.clone().json().catch(() => ({}));
        show(error ?? `No error id\nTime: ${new Date().toISOString()}\nWhat I did: `);
      }
      return response;
    } catch (error) {
      if (isEvent) show(`The server did not answer\nTime: ${new Date().toISOString()}\nWhat I did: `);
      throw error;
    }
  };
})();
