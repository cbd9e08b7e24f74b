/** The environment variable in which `containers.ts` tells the tests why container labs cannot run. */
export const withoutContainers = 'VIPSQL_WITHOUT_CONTAINERS';
