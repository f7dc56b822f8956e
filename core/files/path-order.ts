/**
 * The order in which a walk meets files: by components, each by its bytes, so a slash comes before
 * whatever else a name may hold.
 */
export function comparePaths(one: string, other: string): number {
  const length = Math.min(one.length, other.length)
  for (let at = 0; at < length; at++) {
    const [a, b] = [one.charCodeAt(at), other.charCodeAt(at)]
    if (a !== b) return rankOf(a) - rankOf(b)
  }
  return one.length - other.length
}

const SLASH = 0x2f

function rankOf(code: number): number {
  return code === SLASH ? 0 : code
}
