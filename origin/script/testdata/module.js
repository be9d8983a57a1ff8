/* A module that imports nothing; import x from 'y' is only said here. */
export const answer = 200, text = "export default 'import z from \"z\"'";
export default class { }
export function body() { return `${text}`; }
let hidden = 1;
export { hidden, answer as alias };
const o = { import: 1, export: 2 };
httpout.on_request = (req) => {
	req.reply = answer;
	req.body = body() + o.import + o.export + (function () { return typeof this; })();
	req.send();
};
