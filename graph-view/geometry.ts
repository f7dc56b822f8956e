/** A place in a picture, in pixels from its top left corner. */
export interface Point {
  readonly x: number
  readonly y: number
}

/** An area of a picture by its top left corner, in pixels. */
export interface Rectangle extends Point {
  readonly width: number
  readonly height: number
}
