import { type Name, nameOf, textOfName } from '#core'

/** The names in a path, without empty ones and `.`. */
export function componentsOf(path: Name): Name[] {
  return path.split('/').filter((name) => name !== '' && name !== '.') as Name[]
}

/** Below the root, whatever `..` the path holds: `/a/../../b/` is `b`. */
export function belowRoot(path: string): Name {
  const names: Name[] = []
  for (const name of componentsOf(nameOf(path))) {
    if (name === '..') names.pop()
    else names.push(name)
  }
  return names.join('/') as Name
}

/** For messages: absolute, as the image has it. */
export function shown(path: Name): string {
  return `/${textOfName(path)}`
}
