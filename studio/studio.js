// A handler that fails answers 500 with a report (guard.py); Gradio would show the bare word "Error".
(() => {
  const plainFetch = window.fetch;

  const show = (report) => {
    const dialog = document.getElementById("studio-failure");
    if (!dialog || dialog.open) return;
    dialog.querySelector("textarea").value = report;
    dialog.showModal();
  };

  window.fetch = async (...request) => {
    const isEvent = String(request[0]?.url ?? request[0]).includes("/run/");
    try {
      const response = await plainFetch(...request);
      if (isEvent && response.status >= 500) {
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
