/** `a, b, c and 4 more`: the first of a list, and how many more there are of `total`. */
export function shortList(first: readonly string[], total: number, separator = ', '): string {
  const named = first.join(separator)
  return total > first.length ? `${named} and ${total - first.length} more` : named
}
