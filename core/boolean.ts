/** The value of a boolean as Go writes it, `undefined` for anything else. Spec: Go strconv.ParseBool */
export function parseBoolean(text: string): boolean | undefined {
  if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true
  return /^(0|f|F|false|FALSE|False)$/.test(text) ? false : undefined
}
