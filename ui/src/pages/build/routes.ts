/** Routes of the pages of Build. */
export const buildRoutes = [] as const;
