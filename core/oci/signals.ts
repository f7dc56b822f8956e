import { constants } from 'node:os'

/** As programs see them: those below are the C library's own. Spec: signal(7) */
const REAL_TIME = { MIN: 34, MAX: 64 } as const
const LAST = REAL_TIME.MAX

/**
 * The number of a signal on Linux: of a name with or without SIG, in letters of either case, of a real-time one such
 * as RTMIN+3, or of a number. `undefined`: there is none.
 */
export function signalNumber(text: string): number | undefined {
  if (/^\d+$/.test(text)) return inRange(Number(text), 1, LAST)
  const name = text.toUpperCase().replace(/^SIG/, '')
  const known = Object.entries(constants.signals).find(([one]) => one === `SIG${name}`)
  return known?.[1] ?? realTimeNumber(name)
}

function realTimeNumber(name: string): number | undefined {
  const found = /^RT(?:(?<least>MIN)(?<up>\+\d{1,2})?|MAX(?<down>-\d{1,2})?)$/.exec(name)
  if (found?.groups === undefined) return undefined
  const { least, up = 0, down = 0 } = found.groups
  const number = least === undefined ? REAL_TIME.MAX + Number(down) : REAL_TIME.MIN + Number(up)
  return inRange(number, REAL_TIME.MIN, LAST)
}

function inRange(number: number, least: number, most: number): number | undefined {
  return number >= least && number <= most ? number : undefined
}
