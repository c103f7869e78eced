/** The version of this graphc; `make lint` checks it against package.json. */
export const version = "0.1.0";
