import stringWidth from 'string-width'

const GRAPHEMES = new Intl.Segmenter()

/** Columns that a clean line takes on a terminal. */
export function displayWidth(text: string): number {
  return stringWidth(text)
}

/** `text`, cut to at most `columns`; a cut is marked by an ellipsis. */
export function cutToWidth(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text
  if (columns < 1) return ''
  let width = 0
  let end = 0
  for (const { segment } of GRAPHEMES.segment(text)) {
    const next = displayWidth(segment)
    if (width + next > columns - 1) break
    width += next
    end += segment.length
  }
  return `${text.slice(0, end)}…`
}

/** `text`, filled with spaces up to `columns`. */
export function padToWidth(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - displayWidth(text)))
}
