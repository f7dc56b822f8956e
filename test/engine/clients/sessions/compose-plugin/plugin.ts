/** Makes `docker compose` of the program docker-compose that lies beside today's docker. */
export const PLUGIN =
  'mkdir -p "$DOCKER_CONFIG/cli-plugins" && ln -s "$(which docker-compose)" "$DOCKER_CONFIG/cli-plugins/"'

/** Words before those for compose in the folder of a project. */
export const CD = (folder: string): string => `cd "$HOME/${folder}"; docker compose`
