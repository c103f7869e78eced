/** The cases that are not run, and why. A case that stands here and would pass fails the test. */

export interface Skip {
  readonly reason: string;
  readonly cases: RegExp;
}

export const skipped: readonly Skip[] = [
  { reason: "resize has no filter against aliasing", cases: /^test_resize_.*_antialias$/ },
  { reason: "resize has no region to crop", cases: /^test_resize_tf_crop_and_resize/ },
];
