/* Tenant restrictions: header fields by which the sign-in hosts of Microsoft
 * learn which tenants a client may sign in to. There are two forms of them,
 * which exclude each other:
 *
 *   v1  login.microsoftonline.com, login.microsoft.com, login.windows.net:
 *           Restrict-Access-To-Tenants: TENANT[,TENANT...]
 *           Restrict-Access-Context: TENANT-ID
 *       login.live.com, if personal accounts are kept out:
 *           sec-Restrict-Tenant-Access-Policy: restrict-msa
 *   v2  all four:
 *           sec-Restrict-Tenant-Access-Policy: TENANT-ID:POLICY-ID
 *
 * On exactly these hosts, and no other below or beside them, what a client
 * itself has sent of these fields is left out. */
#ifndef TF_TENANTS_H
#define TF_TENANTS_H

#include "bytes.h"
#include "text.h"

enum tf_tenants_version { TF_TENANTS_OFF, TF_TENANTS_V1, TF_TENANTS_V2 };

/* [tenant_restrictions]; "" where not set. Once tf_check_tenants has passed it, the values of its version are
 * sound. */
struct tf_tenants {
    enum tf_tenants_version version;
    const char *allowed, *context; /* v1 */
    bool no_consumer;              /* v1: personal accounts are kept out */
    const char *policy;            /* v2 */
};

/* The fields of one request are no longer than this, in bytes. */
#define TF_TENANTS_MAX 4096

/* Whether requests for this host, written as in tf_target, get fields. */
bool tf_tenants_restrict(const struct tf_tenants *t, const char *host);
/* Whether a field of this name is the gateway's to send, on hosts that are restricted. */
bool tf_tenants_own(struct tf_text name);
/* The fields for a host that is restricted. */
void tf_tenants_put(struct tf_writer *w, const struct tf_tenants *t, const char *host);
/* `v1` or `v2`. */
const char *tf_tenants_name(const struct tf_tenants *t);

/* What the values are made of: a directory ID (a GUID), a tenant by its ID or by one of its domains, and
 * `TENANT-ID:POLICY-ID`. */
bool tf_tenants_is_id(struct tf_text text);
bool tf_tenants_is_tenant(struct tf_text text);
bool tf_tenants_is_policy(struct tf_text text);

#endif
