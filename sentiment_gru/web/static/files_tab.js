// A file beyond the limit is refused before it is sent: Gradio would send all of it, and then say nothing.
(() => {
  const refuse = (event, files) => {
    const place = document.getElementById("files-too-large");
    const upload = event.target.closest?.("#files-upload");
    if (!upload || !place) return;
    const limit = Number(place.dataset.megabytes);
    const tooLarge = [...(files ?? [])].find((file) => file.size > limit * 1e6);
    place.textContent = tooLarge
      ? `This file has ${Math.ceil(tooLarge.size / 1e6)} MB; up to ${limit} MB can be read. The command line takes more.`
      : "";
    if (!tooLarge) return;
    event.stopImmediatePropagation();
    event.preventDefault();
  };
  document.addEventListener("change", (event) => refuse(event, event.target.files), true);
  document.addEventListener("drop", (event) => refuse(event, event.dataTransfer?.files), true);
})();
