/** Of a build's id, so many characters are as good as all of it. */
const LENGTH = 8

/** An id of a build as people copy it. */
export function shortId(id: string): string {
  return id.slice(0, LENGTH)
}
