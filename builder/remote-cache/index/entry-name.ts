import { randomName } from '#core'

/** Digits of a time: enough until the year 5188. */
const TIME_DIGITS = 9
const RANDOM_DIGITS = 12

/** The name of an entry: names follow each other as their times do. Milliseconds since 1970. */
export function entryName(time: number): string {
  return `${timePrefix(time)}-${randomName(RANDOM_DIGITS)}`
}

/** The time in the name of an entry, in milliseconds. */
export function timeOfEntry(name: string): number {
  return Number.parseInt(name.slice(0, TIME_DIGITS), 36)
}

function timePrefix(time: number): string {
  return Math.floor(time).toString(36).padStart(TIME_DIGITS, '0')
}
