const AXIS_METRES = 6_378_245
const ECCENTRICITY = 0.006_693_421_622_965_943
const { sin, cos, sqrt, abs, PI } = Math

export interface Place {
  readonly latitude: number
  readonly longitude: number
}

/**
 * A place as satellites tell it (WGS-84), as maps in China draw it (GCJ-02), in which shops are entered: the two lie some
 * 500 m apart there. Outside of China they are the same. The formula is the one that every map of China uses.
 */
export function toGcj02({ latitude, longitude }: Place): Place {
  if (longitude < 72.004 || longitude > 137.8347 || latitude < 0.8293 || latitude > 55.8271)
    return { latitude, longitude }
  const [x, y] = [longitude - 105, latitude - 35]
  const radians = (latitude / 180) * PI
  const bend = 1 - ECCENTRICITY * sin(radians) ** 2
  const north = (northOf(x, y) * 180) / (((AXIS_METRES * (1 - ECCENTRICITY)) / (bend * sqrt(bend))) * PI)
  const east = (eastOf(x, y) * 180) / ((AXIS_METRES / sqrt(bend)) * cos(radians) * PI)
  return { latitude: latitude + north, longitude: longitude + east }
}

const waves = (x: number): number => ((20 * sin(6 * x * PI) + 20 * sin(2 * x * PI)) * 2) / 3

const northOf = (x: number, y: number): number =>
  -100 +
  2 * x +
  3 * y +
  0.2 * y * y +
  0.1 * x * y +
  0.2 * sqrt(abs(x)) +
  waves(x) +
  ((20 * sin(y * PI) + 40 * sin((y / 3) * PI)) * 2) / 3 +
  ((160 * sin((y / 12) * PI) + 320 * sin((y * PI) / 30)) * 2) / 3

const eastOf = (x: number, y: number): number =>
  300 +
  x +
  2 * y +
  0.1 * x * x +
  0.1 * x * y +
  0.1 * sqrt(abs(x)) +
  waves(x) +
  ((20 * sin(x * PI) + 40 * sin((x / 3) * PI)) * 2) / 3 +
  ((150 * sin((x / 12) * PI) + 300 * sin((x / 30) * PI)) * 2) / 3
