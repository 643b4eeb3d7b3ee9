/** Reads the attributes of an observation: a flat JSON object of texts, numbers and booleans. */

const QUOTE: i32 = 0x22;
const COLON: i32 = 0x3a;
const BACKSLASH: i32 = 0x5c;
const SPACE: i32 = 0x20;

/** Whether the attribute `name` is the text `value`. Neither may need an escape in JSON. */
export function attributesSay(attributes: string, name: string, value: string): bool {
  let named = false;
  let isValue = false;
  const length = attributes.length;
  for (let at = 0; at < length; at++) {
    const letter = attributes.charCodeAt(at);
    if (letter == QUOTE) {
      const end = stringEnd(attributes, at + 1);
      if (isValue && named && isBetween(attributes, at + 1, end, value)) return true;
      named = !isValue && isBetween(attributes, at + 1, end, name);
      at = end;
    }
    if (letter > SPACE) isValue = letter == COLON;
  }
  return false;
}

/** Where the closing quote is of the JSON string whose first letter is at `at`. */
function stringEnd(json: string, at: i32): i32 {
  const length = json.length;
  while (at < length) {
    const letter = json.charCodeAt(at);
    if (letter == QUOTE) return at;
    at += letter == BACKSLASH ? 2 : 1;
  }
  return length;
}

function isBetween(json: string, start: i32, end: i32, text: string): bool {
  return end - start == text.length && json.startsWith(text, start);
}
