// Light that dust scatters towards the camera.
// Multiple scattering after M. Wrenninge, C. Kulla and V. Lundqvist, "Oz: The Great and Volumetric" (2013):
// octaves of ever weaker extinction and ever rounder phase.

// Sunlight that reaches shaded dust by way of lit walls and the lit top of the cloud.
const float STREET = 0.05;

float henyey(float cosine, float g) {
    return (1.0 - g * g) / pow(1.0 + g * g - 2.0 * g * cosine, 1.5);
}

float towards_camera(float cosine) { return 0.7 * henyey(cosine, 0.55) + 0.3 * henyey(cosine, -0.25); }

// Seven pixels: longer steps draw their own contours on the lobes.
float shortest(float t) { return clamp(7.0 * t / camera_focal, 0.03, 0.28); }

// Optical depths towards the sun and the open sky, the light grid's `core`, the phase function's value, and how far
// out in the cloud a place lies (about 1).
vec3 scattered(float sunward, float skyward, vec4 middle, float lobe, float crown) {
    float glow = 0.0, gain = 0.33, thin = 1.0, round = 1.0;
    for (int octave = 0; octave < 4; octave++) {
        glow += gain * exp(-thin * sunward) * mix(1.0, lobe, round);
        gain *= 0.55; thin *= 0.48; round *= 0.45;
    }
    // Skylight sinks in as deep as the sun's does: lobes are pale above and dark below, in shade too.
    float open = 0.6 * exp(-0.55 * skyward) + 0.4 * exp(-0.12 * skyward);
    return sun * glow * middle.y * mix(crown, 1.0, 0.45)
         + sky * (0.13 + 0.35 * middle.z + 0.80 * open) * crown
         + bounce * 0.6 * (0.4 + 0.6 * middle.w)
         + sun * STREET * crown;
}
