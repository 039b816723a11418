// Refuse a file that is too large before it is sent: Gradio would send all of it, and then show no message.
(() => {
  const refuse = (event, files) => {
    const message = document.getElementById("files-too-large");
    const upload = event.target.closest?.("#files-upload");
    if (!upload || !message) return;
    const limit = Number(message.dataset.megabytes);
    const tooLarge = [...(files ?? [])].find((file) => file.size > limit * 1e6);
    message.textContent = tooLarge
      ? `This file has ${Math.ceil(tooLarge.size / 1e6)} MB; the limit is ${limit} MB. The command line accepts larger files.`
      : "";
    if (!tooLarge) return;
    event.stopImmediatePropagation();
    event.preventDefault();
  };
  document.addEventListener("change", (event) => refuse(event, event.target.files), true);
  document.addEventListener("drop", (event) => refuse(event, event.dataTransfer?.files), true);
})();
