import type { Session } from '../support/session.ts'

const HEALTH = 'docker inspect -f "{{.State.Health.Status}} {{.State.Health.FailingStreak}}"'

/** Health checks and restart policies. */
export const HEALTH_AND_RESTARTS: Session = {
  name: 'health',
  steps: [
    'docker run -d --name well --health-cmd "test -e /tmp/well && echo fine" --health-interval 200ms --health-retries 2 --health-timeout 2s busybox sh -c "while :; do sleep 0.1; done"',
    'docker inspect -f "{{json .Config.Healthcheck}}" well',
    { until: 'docker ps --format "{{.Status}}" --filter name=well', shows: /\(unhealthy\)/ },
    'docker ps --filter health=unhealthy --format "{{.Names}} {{.Status}}"',
    'docker exec well touch /tmp/well',
    { until: HEALTH.concat(' well'), shows: /^healthy 0/ },
    'docker ps --format "{{.Status}}"',
    'docker inspect -f "{{(index .State.Health.Log 0).ExitCode}} {{len .State.Health.Log}}" well | sed "s/ [1-5]$/ some/"',
    { until: 'docker inspect -f "{{(index .State.Health.Log 4).Output}}" well', shows: /^fine/ },
    'docker events --since 1h --until "$(date +%s.%N)" --filter container=well --filter event=health_status --format "{{.Action}}" | uniq',
    'docker stop -t 0 well; docker inspect -f "{{.State.Health.Status}}" well',
    'docker run -d --name unchecked --no-healthcheck busybox sleep 600; docker inspect -f "{{json .Config.Healthcheck}} {{json .State.Health}}" unchecked',
    'docker run --rm --health-interval 1us busybox true',
    'docker run -d --name slow --health-cmd "sleep 60" --health-interval 100ms --health-timeout 300ms --health-retries 1 busybox sleep 600',
    { until: HEALTH.concat(' slow'), shows: /^unhealthy/ },
    'docker inspect -f "{{(index .State.Health.Log 0).ExitCode}} {{(index .State.Health.Log 0).Output}}" slow',
    'docker rm -f well unchecked slow | sort',
    'docker run -d --name again --restart on-failure:2 busybox sh -c "exit 5"',
    { until: 'docker inspect -f "{{.RestartCount}} {{.State.Status}}" again', shows: /^2 exited/ },
    'docker inspect -f "{{.State.ExitCode}} {{json .HostConfig.RestartPolicy}}" again; docker logs again',
    'docker run -d --name ever --restart always busybox sleep 1',
    { until: 'docker inspect -f "{{.RestartCount}}" ever', shows: /^[1-9]/ },
    'docker stop -t 0 ever; sleep 0.5; docker inspect -f "{{.State.Status}}" ever',
    'docker start ever; docker update --restart no ever',
    { until: 'docker inspect -f "{{.State.Status}}" ever', shows: /exited/ },
    'docker run -d --name killed --restart unless-stopped busybox sleep 600; docker kill killed',
    'sleep 0.5; docker inspect -f "{{.State.Status}} {{.RestartCount}}" killed',
    'docker run -d --rm --restart always busybox true',
    'docker run -d --restart nonsense busybox true',
    'docker run -d --restart always:3 busybox true',
    'docker rm -f again ever killed | sort',
  ],
}

/** What takes all the memory that it gets. */
export const HUNGER: Session = {
  name: 'hunger',
  needs: 'limits',
  steps: [
    'docker run -d --name hungry -m 16m --memory-swap 16m busybox sh -c "sleep 0.2; x=a; while :; do x=\\$x\\$x; done"; docker wait hungry',
    'docker inspect -f "{{.State.OOMKilled}} {{.State.ExitCode}} {{.State.Status}}" hungry',
    'docker rm hungry',
  ],
}
