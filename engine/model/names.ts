import { randomBytes } from 'node:crypto'
import { TsbuildError } from '#core'
import type { Config } from './bodies.ts'

/** 64 hexadecimal digits. */
export function newId(): string {
  // An id whose first digits are a number would be taken for one where it is a host name.
  for (;;) {
    const id = randomBytes(32).toString('hex')
    if (!/^\d{12}/.test(id)) return id
  }
}

const NAME = /^\/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$/

/** The name of a container without its slash. @throws {TsbuildError} USAGE */
export function checkContainerName(name: string): string {
  if (NAME.test(name)) return name.replace(/^\//, '')
  throw new TsbuildError(
    `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    { code: 'USAGE' },
  )
}

const ADJECTIVES =
  'able amber ancient bold brave breezy bright brisk calm candid clever cosmic crisp curious daring deft eager early fair fancy fleet gentle glad golden grand happy hardy honest humble jolly keen kind lively lucid lucky mellow merry mild modest neat nimble noble patient placid plucky polite proud quick quiet rapid ready robust rustic serene sharp shiny silent smart snug solid spry steady sturdy subtle sunny swift tidy tranquil trusty upbeat vivid warm wise witty zesty'.split(
    ' ',
  )
const SURNAMES =
  'abel babbage bell boole bohr cantor carson cerf church codd conway curie darwin dijkstra einstein engelbart euclid euler faraday fermat feynman floyd franklin galileo galois gauss goodall hamilton hawking herschel hertz hoare hopper hypatia iverson johnson kay kepler knuth lamarr lamport leibniz liskov lovelace maxwell mendel milner neumann newton noether pascal pasteur pauling perlman planck ptolemy ritchie sammet shannon stallman tesla thompson torvalds turing volta wiles wilkes wirth wozniak'.split(
    ' ',
  )

/** A name for a container whose user gave none. @param isTaken whether another one has it */
export function inventName(isTaken: (name: string) => boolean): string {
  for (let tries = 0; ; tries++) {
    const [adjective, surname, digit] = randomBytes(3)
    const name = `${pick(ADJECTIVES, adjective)}_${pick(SURNAMES, surname)}`
    const longer = tries < 3 ? name : `${name}${randomBytes(2).readUInt16LE()}${digit}`
    if (!isTaken(longer)) return longer
  }
}

function pick(words: readonly string[], number = 0): string {
  return words[number % words.length] ?? ''
}

/** What has an id, and may have a name. */
export interface Named {
  readonly id: string
  readonly name: string
}

/**
 * Finds one by its whole id, its name, or the beginning of its id, in this order.
 * @param what for errors: `container`
 * @throws {TsbuildError} NOT_FOUND, USAGE when several ids begin so
 */
export function findNamed<T extends Named>(all: readonly T[], text: string, what: string): T {
  const name = text.replace(/^\//, '')
  const exact = all.find(({ id }) => id === text) ?? all.find((one) => one.name === name)
  if (exact !== undefined) return exact
  const [first, second] = text === '' ? [] : all.filter(({ id }) => id.startsWith(text))
  if (first === undefined) {
    throw new TsbuildError(`No such ${what}: ${text}`, { code: 'NOT_FOUND' })
  }
  if (second === undefined) return first
  throw new TsbuildError(`multiple IDs found with provided prefix: ${text}`, { code: 'USAGE' })
}

/** The name of the machine as the container sees it. */
export function hostnameOf(id: string, { Hostname = '' }: Config): string {
  return Hostname === '' ? id.slice(0, 12) : Hostname
}

/** `[/]NAME[:ALIAS]` of a container that another one is linked to. */
export function parseLink(text: string): readonly [name: string, alias: string] {
  const [name = '', alias = name] = text.replace(/^\//, '').split(':')
  return [name, alias]
}
