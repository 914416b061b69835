import { buzz } from '../lib/bridge/device.ts'

let sound: AudioContext | null = null

/** A browser lets a page sound only after a touch: call it on the first one. */
export function allowTones(): void {
  if (typeof AudioContext === 'undefined') return
  sound ??= new AudioContext()
  if (sound.state === 'suspended') void sound.resume()
}

/** Two rising tones and a short buzz for what went well; a low one and two buzzes for what did not. */
export function tell(outcome: 'good' | 'bad'): void {
  buzz(outcome === 'good' ? 80 : [120, 80, 120])
  if (sound?.state !== 'running') return
  const tones = outcome === 'good' ? [880, 1320] : [220]
  for (const [index, hertz] of tones.entries()) play(sound, hertz, index * 0.14, outcome === 'good' ? 0.14 : 0.4)
}

function play(context: AudioContext, hertz: number, afterS: number, lengthS: number): void {
  const [from, to] = [context.currentTime + afterS, context.currentTime + afterS + lengthS]
  const [tone, loudness] = [context.createOscillator(), context.createGain()]
  tone.frequency.value = hertz
  // Fading in and out keeps the speaker from clicking.
  loudness.gain.setValueAtTime(0, from)
  loudness.gain.linearRampToValueAtTime(0.3, from + 0.02)
  loudness.gain.linearRampToValueAtTime(0, to)
  tone.connect(loudness).connect(context.destination)
  tone.start(from)
  tone.stop(to)
}
