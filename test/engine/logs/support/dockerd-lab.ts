import { join } from 'node:path'
import {
  busyboxBase,
  copyImage,
  type Dockerd,
  startDockerd,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../../support/peers/index.ts'

/** A daemon with an image `busybox`, and a folder that its containers see as `/d`. */
export class DockerdLab implements AsyncDisposable {
  readonly dockerd: Dockerd
  readonly folder: TemporaryDirectory

  private constructor(dockerd: Dockerd, folder: TemporaryDirectory) {
    this.dockerd = dockerd
    this.folder = folder
  }

  static async start(): Promise<DockerdLab> {
    const folder = temporaryDirectory('logs', 0o755)
    const dockerd = await startDockerd()
    const archive = folder.file('busybox.tar')
    await copyImage(`oci:${await busyboxBase()}:latest`, `docker-archive:${archive}:busybox:latest`)
    await dockerd.docker(['load', '--quiet', '--input', archive])
    return new DockerdLab(dockerd, folder)
  }

  /** Runs a container to its end. @returns where its log is */
  async run(name: string, options: readonly string[], command: readonly string[]): Promise<string> {
    const place = ['--network', 'none', '--volume', `${this.folder.path}:/d:ro`]
    const words = ['run', '--name', name, ...place, ...options, 'busybox', ...command]
    await this.dockerd.docker(words)
    return await this.inspect(name, '{{.LogPath}}')
  }

  async inspect(name: string, format: string): Promise<string> {
    const { stdout } = await this.dockerd.docker(['inspect', '--format', format, name])
    return stdout.trim()
  }

  async logs(name: string, ...options: readonly string[]): Promise<string> {
    const { stdout } = await this.dockerd.docker(['logs', ...options, name])
    return stdout
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dockerd[Symbol.asyncDispose]()
    this.folder[Symbol.dispose]()
  }
}

/** The folder of a container's log. */
export function folderOf(logPath: string): string {
  return join(logPath, '..')
}
