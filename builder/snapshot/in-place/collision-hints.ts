/** What to do where a stage and the build need the same path. @param contexts folders of contexts */
export function collisionHint(path: string, contexts: readonly string[]): string {
  const context = contexts.find((one) => isIn(path, one) || isIn(one, path))
  return context === undefined
    ? 'steps run in place, and the container has a volume or files of its own there: mount it where images have nothing, as below /tsbuild'
    : `steps run in place, and the build reads its context from ${context}: mount that at /tsbuild/context instead (docker run -v "$PWD:/tsbuild/context", mountPath of a pod), and name that folder (/kaniko/executor --context dir:///tsbuild/context)`
}

/** Whether a path is a folder or below it. */
export function isIn(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`)
}
