"""The fleet's services on ECS, by ordinary AWS calls: a cluster, a role, a definition and a service for each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ssm_tui.demo.fleet import Service
    from ssm_tui.demo.seeding import Seeding

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
# "Task IAM role permissions for ECS Exec" in the ECS developer guide.
_EXEC = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                f"ssmmessages:{each}"
                for each in ("CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel")
            ],
            "Resource": "*",
        }
    ],
}


def seed_containers(seeding: Seeding) -> None:
    """Makes the services; they start their tasks by themselves."""
    iam = seeding.client("iam", seeding.fleet.account.default_region)
    for role in {each.role for each in seeding.fleet.services}:
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(_TRUST))
        iam.put_role_policy(RoleName=role, PolicyName="EcsExec", PolicyDocument=json.dumps(_EXEC))
    clusters = {(each.cluster, each.network) for each in seeding.fleet.services}
    for cluster, network in sorted(clusters):
        seeding.of_network("ecs", network).create_cluster(clusterName=cluster)
    for service in seeding.fleet.services:
        _seed_service(seeding, service)


def _seed_service(seeding: Seeding, service: Service) -> None:
    ecs = seeding.of_network("ecs", service.network)
    definition = ecs.register_task_definition(
        family=service.name,
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        taskRoleArn=f"arn:aws:iam::{seeding.fleet.account.id}:role/{service.role}",
        containerDefinitions=[{"name": each, "image": f"shop/{each}:1", "memory": 256} for each in service.containers],
    )["taskDefinition"]["taskDefinitionArn"]
    ecs.create_service(
        cluster=service.cluster,
        serviceName=service.name,
        taskDefinition=definition,
        desiredCount=service.count,
        launchType="FARGATE",
        platformVersion="1.4.0",
        enableExecuteCommand=service.exec,
        propagateTags="SERVICE",
        tags=[{"key": key, "value": value} for key, value in service.tags.items()],
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": [seeding.subnets[service.network, each] for each in service.subnets],
                "securityGroups": [seeding.groups[service.network, service.group]],
            }
        },
    )
