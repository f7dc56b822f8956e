import type { Mount } from '#core'

/** The descriptors that are held open, and named by the steps. */
export const FIRST = 3
export const LAST = 64

/** Directories that the test has made. */
export interface Held {
  readonly temporary: string
  readonly scratch: string
  /** The root of the steps, topmost first. */
  readonly lower: readonly string[]
  /** The folder that is held open. */
  readonly folder: string
}

/** What a step names. */
export interface HeldStep {
  readonly name: string
  readonly args: readonly string[]
  readonly cwd?: string
  readonly mount?: Mount
}

/** How one step ended. */
export interface Attempt {
  readonly name: string
  /** The code of the error with which it was refused, and what that said. */
  readonly refused?: string
  readonly output: string
}

/** Each descriptor in each place where a step names a path, and what else leads out through /proc. */
export function attacks(held: Held): readonly HeldStep[] {
  const steps: HeldStep[] = []
  for (let number = FIRST; number <= LAST; number++) {
    const bases = ['/proc/self/fd', '/proc/thread-self/fd', '/proc/1/fd', '/dev/fd']
    const tails = ['', '/.', '/inner/..', `/../${held.folder.split('/').at(-1)}`]
    const turn = Math.floor(number / bases.length)
    const folder = `${bases[number % bases.length]}/${number}${tails[turn % tails.length]}`
    steps.push(
      { name: `program ${folder}`, args: [`${folder}/echo`, 'REACHED'] },
      { name: `script ${folder}`, args: [`${folder}/script`] },
      { name: `interpreter ${number}`, args: [`/scripts/${number}`, 'REACHED'] },
      { name: `directory ${folder}`, cwd: folder, args: ['/bin/ls'] },
      { name: `mount ${number}`, args: ['/bin/ls', '/m'], mount: part(held, `/links/${number}`) },
    )
    if (number % bases.length === 0) steps.push(...throughLink(number))
  }
  const programs = ['self/exe', 'thread-self/exe', '1/exe', '1/root/../bin/echo', '1/cwd/bin/echo']
  return [
    ...steps,
    ...programs.map((path) => ({ name: `program ${path}`, args: [`/proc/${path}`, '--version'] })),
  ]
}

/** Links that a walk inside the root follows by their text must not be followed by the kernel. */
function throughLink(number: number): readonly HeldStep[] {
  const target = `/links/${number}/inner`
  return [
    { name: `directory by link ${number}`, cwd: `/links/${number}`, args: ['/bin/ls'] },
    { name: `target ${number}`, args: ['/bin/true'], mount: { type: 'tmpfs', target } },
  ]
}

function part({ lower }: Held, path: string): Mount {
  return { type: 'overlay', target: '/m', lower, path }
}

/** The same places with what steps do there: names begin with `twin`. */
export function twins(held: Held): readonly HeldStep[] {
  return [
    { name: 'twin program', args: ['/tools/echo', 'WORKS'] },
    { name: 'twin program above the root', args: ['/../../tools/echo', 'WORKS'] },
    { name: 'twin program in PATH', args: ['echo', 'WORKS'] },
    { name: 'twin program beside', cwd: '/tools', args: ['./echo', 'WORKS'] },
    { name: 'twin script', args: ['/tools/script'] },
    { name: 'twin interpreter', args: ['/tools/linked', 'WORKS'] },
    { name: 'twin directory', cwd: '/tools/link', args: ['/bin/cat', 'note'] },
    { name: 'twin mount', args: ['/bin/cat', '/m/note'], mount: part(held, '/tools/link') },
    {
      name: 'twin descriptor',
      args: ['/bin/sh', '-c', 'exec 7< /tools/data; /proc/self/root/bin/cat /proc/self/fd/7/note'],
    },
  ]
}
