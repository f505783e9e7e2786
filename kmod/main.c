// SPDX-License-Identifier: GPL-2.0
/*
 * sluice_acct: bytes, packets and flows by client, application and direction.
 * What it counts and how it is asked: sluice_acct.h. Who may touch what, and
 * when things die: acct.h.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "acct.h"

#define PROC_NAME "sluice_acct"

unsigned int acct_max_entries __read_mostly = 65536;
module_param_named(max_entries, acct_max_entries, uint, 0444);
MODULE_PARM_DESC(max_entries,
		 "applications of clients counted, each network namespace");
unsigned int acct_max_pending __read_mostly = 16384;
module_param_named(max_pending, acct_max_pending, uint, 0444);
MODULE_PARM_DESC(max_pending,
		 "flows that wait for a label, each network namespace");
unsigned int acct_pending_seconds __read_mostly = 30;
module_param_named(pending_seconds, acct_pending_seconds, uint, 0644);
MODULE_PARM_DESC(pending_seconds, "how long a flow waits for its label");

unsigned int acct_net_id __read_mostly;

/* Ends by itself when there is nothing left to look at. */
static void sweep_work(struct work_struct *work)
{
	struct acct_net *an =
		container_of(to_delayed_work(work), struct acct_net, sweep);
	struct acct_value held[ACCT_DIRECTIONS];

	mutex_lock(&an->lock);
	acct_pending_sweep(an, !an->hooked, held);
	if (an->hooked || atomic_read(&an->pending_count))
		schedule_delayed_work(&an->sweep, HZ);
	mutex_unlock(&an->lock);
}

static int __net_init acct_net_init(struct net *net)
{
	struct acct_net *an = acct_net(net);
	int err;

	an->net = net;
	mutex_init(&an->lock);
	INIT_DELAYED_WORK(&an->sweep, sweep_work);
	err = acct_table_init(an);
	if (err)
		return err;
	err = acct_pending_init(an);
	if (err)
		goto err_table;
	err = -ENOMEM;
	if (!proc_create_net_single(PROC_NAME, 0440, net->proc_net,
				    acct_proc_show, NULL))
		goto err_pending;
	return 0;

err_pending:
	acct_pending_free(an);
err_table:
	acct_table_free(an);
	return err;
}

/* No packet comes any more once the grace period behind this is over. */
static void __net_exit acct_net_pre_exit(struct net *net)
{
	struct acct_net *an = acct_net(net);

	mutex_lock(&an->lock);
	acct_hook_stop(an);
	mutex_unlock(&an->lock);
}

/* The barrier: callbacks of evicted entries still add to these tables. */
static void __net_exit acct_net_exit_batch(struct list_head *list)
{
	struct acct_net *an;
	struct net *net;

	list_for_each_entry(net, list, exit_list) {
		remove_proc_entry(PROC_NAME, net->proc_net);
		cancel_delayed_work_sync(&acct_net(net)->sweep);
	}
	rcu_barrier();
	list_for_each_entry(net, list, exit_list) {
		an = acct_net(net);
		acct_pending_free(an);
		acct_table_free(an);
		kfree(rcu_dereference_protected(an->setup, true));
	}
}

static struct pernet_operations acct_net_ops = {
	.init = acct_net_init,
	.pre_exit = acct_net_pre_exit,
	.exit_batch = acct_net_exit_batch,
	.id = &acct_net_id,
	.size = sizeof(struct acct_net),
};

static int __init acct_init(void)
{
	int err = acct_table_start();

	if (err)
		return err;
	err = acct_pending_start();
	if (err)
		goto err_table;
	err = register_pernet_subsys(&acct_net_ops);
	if (err)
		goto err_pending;
	err = acct_netlink_start();
	if (err)
		goto err_net;
	return 0;

err_net:
	unregister_pernet_subsys(&acct_net_ops);
	rcu_barrier();
err_pending:
	acct_pending_stop();
err_table:
	acct_table_stop();
	return err;
}

/* The barrier: callbacks of this module's code free to these caches. */
static void __exit acct_exit(void)
{
	acct_netlink_stop();
	unregister_pernet_subsys(&acct_net_ops);
	rcu_barrier();
	acct_pending_stop();
	acct_table_stop();
}

module_init(acct_init);
module_exit(acct_exit);
MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Sluice authors");
MODULE_DESCRIPTION("Sluice: traffic by client and application");
MODULE_VERSION("1");
