/** Numbers and times as docker writes them. */

const DECIMAL = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB']
const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB']

/** `1.23MB`: powers of 1000. @param digits that count. Default: 3 */
export function humanSize(bytes: number, digits = 3): string {
  return scaled(bytes, { base: 1000, units: DECIMAL, digits })
}

/** `1.234MiB`: powers of 1024, four digits. */
export function binarySize(bytes: number): string {
  return scaled(bytes, { base: 1024, units: BINARY, digits: 4 })
}

interface Scale {
  readonly base: number
  readonly units: readonly string[]
  readonly digits: number
}

function scaled(bytes: number, { base, units, digits }: Scale): string {
  let value = bytes
  let unit = 0
  while (value >= base && unit < units.length - 1) {
    value /= base
    unit += 1
  }
  return `${Number(value.toPrecision(digits))}${units[unit] ?? ''}`
}

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Steps of lengths: below so many seconds, a length is so many of a unit. */
const LENGTHS: readonly (readonly [below: number, unit: number, name: string])[] = [
  [HOUR, MINUTE, 'minutes'],
  [2 * DAY, HOUR, 'hours'],
  [14 * DAY, DAY, 'days'],
  [60 * DAY, 7 * DAY, 'weeks'],
  [2 * 365 * DAY, 30 * DAY, 'months'],
]

/** `About a minute`, `3 hours`. Spec: docker's go-units, HumanDuration */
function humanDuration(seconds: number): string {
  const whole = Math.floor(seconds)
  if (whole < 1) return 'Less than a second'
  if (whole === 1) return '1 second'
  if (whole < MINUTE) return `${whole} seconds`
  if (Math.floor(whole / MINUTE) === 1) return 'About a minute'
  const hours = Math.round(whole / HOUR)
  if (whole >= HOUR && hours === 1) return 'About an hour'
  for (const [below, unit, name] of LENGTHS) {
    if (whole < below) return `${unit === HOUR ? hours : Math.floor(whole / unit)} ${name}`
  }
  return `${Math.floor(whole / (365 * DAY))} years`
}

/** `3 hours ago`; milliseconds since the epoch. */
export function humanAge(then: number): string {
  return `${humanDuration((Date.now() - then) / 1000)} ago`
}

const SHORT_ID = 12

/** The first twelve digits of an id, without its algorithm. */
export function truncateId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, SHORT_ID)
}

/** At most so many characters, the last of which says that there are more. */
export function ellipsis(text: string, most: number): string {
  const characters = [...text]
  if (characters.length <= most) return text
  return most <= 1
    ? characters.slice(0, most).join('')
    : `${characters.slice(0, most - 1).join('')}…`
}

/** The same of a time as JSON has it, with its fraction of a second; text that is not one stays as it is. */
export function goTimeOf(text: string): string {
  const date = Date.parse(text)
  if (Number.isNaN(date)) return text
  return goTime(date, /\.\d*[1-9]/.exec(text)?.[0])
}

/** `2026-01-31 12:00:00 +0100 CET`: as Go prints a time. @param fraction of the second, with its dot */
export function goTime(milliseconds: number, fraction: string = ''): string {
  const date = new Date(milliseconds)
  const two = (value: number): string => String(value).padStart(2, '0')
  const offset = -date.getTimezoneOffset()
  const sign = offset < 0 ? '-' : '+'
  const zone = `${sign}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  return `${day} ${time}${fraction} ${zone} ${zoneName(date, zone)}`
}

function zoneName(date: Date, zone: string): string {
  const parts = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' }).formatToParts(date)
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? ''
  return /^[A-Z]+$/.test(name) ? name : zone.replace(/00$/, '')
}
