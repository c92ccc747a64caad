// Says "Analysing NAME" from the moment a file is chosen or dropped until the page shows it, and says so if it never arrives.
// The server lists the uploads it has (class "received"), each with a number that grows with every upload.
if (!window.uploadStatus) {
  const PATIENCE_MS = 6_000; // without progress, after which an upload counts as lost
  const status = Object.assign(document.createElement("div"), { className: "upload-status", hidden: true });
  status.setAttribute("role", "status");
  document.body.append(status);
  window.uploadStatus = status;
  let expected = null; // { name, after, errors, since }

  const received = () => JSON.parse(document.querySelector(".received")?.dataset.uploads ?? "[]");
  const show = (text) => {
    status.hidden = !text;
    if (status.textContent !== text) status.textContent = text;
  };
  const isWorking = () =>
    document.querySelector("[data-testid=stApp]")?.dataset.testScriptState !== "notRunning" ||
    document.querySelector("[data-testid=stFileChipIconSpinner]") !== null;
  const countErrors = () => document.querySelectorAll("[data-testid=stFileChipIconError]").length;
  const forget = () => {
    expected = null;
    show("");
  };

  const expectFile = (event) => {
    const target = event.composedPath()[0];
    if (!target.closest?.("[data-testid=stFileUploader]")) return;
    const [file] = event.dataTransfer?.files ?? target.files ?? [];
    if (!file) return;
    const after = Math.max(0, ...received().map(([, number]) => number));
    expected = { name: file.name, after, errors: countErrors(), since: performance.now() };
    show(`Analysing ${file.name} …`);
  };
  const check = () => {
    if (!expected) return;
    const { name, after, errors } = expected;
    if (received().some(([own, number]) => own === name && number > after)) return forget();
    if (countErrors() > errors) return forget(); // the uploader says why it refuses the file
    if (!document.querySelector("[data-testid=stFileUploader]")) return forget(); // on another page
    if (isWorking()) expected.since = performance.now();
    show(
      performance.now() - expected.since > PATIENCE_MS
        ? `${name} was not uploaded. Choose it again.`
        : `Analysing ${name} …`,
    );
  };
  document.addEventListener("change", expectFile, true);
  document.addEventListener("drop", expectFile, true);
  document.addEventListener("click", (event) => event.target.closest?.("[data-testid=stFileChipDeleteBtn]") && forget(), true);
  window.setInterval(check, 200);
}
