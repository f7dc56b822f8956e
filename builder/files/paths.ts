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

/** The root is its own parent. */
export function parentOf(path: Name): Name {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0)) as Name
}

/** The last name of a path. */
export function baseOf(path: Name): Name {
  return path.slice(path.lastIndexOf('/') + 1) as Name
}

/** For messages: absolute, as the image has it. */
export function shown(path: Name): string {
  return `/${textOfName(path)}`
}
