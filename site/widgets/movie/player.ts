// SPDX-License-Identifier: MIT
//
// Which step is shown, and playing on from it: no picture, no element. The keys are those of every widget.
export interface Player {
  readonly at: number
  readonly count: number
  readonly playing: boolean
  /** Another film, from its beginning. */
  load(count: number): void
  /** To a step, 0-based; beyond either end is that end. Stops playing. */
  go(at: number): void
  toggle(): void
  stop(): void
}

/** `show` is called whenever the step changes, or whether it plays. */
export function createPlayer(stepMs: number, show: () => void): Player {
  let [at, count, timer] = [0, 0, 0]
  const to = (step: number): void => {
    at = Math.max(0, Math.min(step, count - 1))
  }
  const stop = (): void => {
    clearTimeout(timer)
    timer = 0
  }
  const turn = (): void => {
    timer = at < count - 1 ? window.setTimeout(turn, stepMs) : 0
    to(at + 1)
    show()
  }
  return {
    get at() {
      return at
    },
    get count() {
      return count
    },
    get playing() {
      return timer !== 0
    },
    load: (steps) => {
      stop()
      ;[at, count] = [0, steps]
      show()
    },
    go: (step) => {
      stop()
      to(step)
      show()
    },
    toggle: () => {
      if (timer !== 0) stop()
      else {
        if (at === count - 1) at = -1
        turn()
      }
      show()
    },
    stop: () => {
      stop()
      show()
    },
  }
}

/** Arrow keys, Home, End, Page Up and Down, and the space bar, where they mean nothing else. */
export function playerKey(player: Player, event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
  const { localName } = event.target as Element
  if (['input', 'select'].includes(localName) || (event.key === ' ' && ['button', 'a'].includes(localName)))
    return
  const steps: Record<string, number> = {
    ArrowLeft: player.at - 1,
    ArrowRight: player.at + 1,
    PageUp: player.at - 10,
    PageDown: player.at + 10,
    Home: 0,
    End: Infinity,
  }
  const to = steps[event.key]
  if (to === undefined && event.key !== ' ') return
  event.preventDefault()
  if (to === undefined) player.toggle()
  else player.go(to)
}
