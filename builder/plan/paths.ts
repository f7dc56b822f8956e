/** An absolute path without `.`, `..`, doubled or trailing slashes; `..` stops at the root. */
function cleanPath(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') parts.pop()
    else parts.push(part)
  }
  return `/${parts.join('/')}`
}

/** `path` as seen from the working directory. */
export function resolvePath(cwd: string, path: string): string {
  return cleanPath(path.startsWith('/') ? path : `${cwd}/${path}`)
}

/** A COPY destination: resolved, and with the trailing slash that makes it a directory. */
export function resolveDestination(cwd: string, destination: string): string {
  const resolved = resolvePath(cwd, destination)
  const isDirectory = destination === '' || /(^|\/)\.?$/.test(destination)
  return isDirectory && resolved !== '/' ? `${resolved}/` : resolved
}
