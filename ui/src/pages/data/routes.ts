/** Routes of the pages of Data. */
export const dataRoutes = [] as const;
