"""EC2's answers as AWS writes them: XML with all that an instance has, some 5 kB each. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from tests.wire.fleet import ACCOUNT, Machine

NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
REGIONS = ("ap-northeast-2", "eu-west-1", "us-east-1")

_INSTANCE = """\
        <item>
            <reservationId>r-0{tail}</reservationId>
            <ownerId>{account}</ownerId>
            <groupSet/>
            <instancesSet>
                <item>
                    <instanceId>{id}</instanceId>
                    <imageId>ami-0c9c942bd7bf113a2</imageId>
                    <instanceState>
                        <code>{code}</code>
                        <name>{state}</name>
                    </instanceState>
                    <privateDnsName>ip-{dashed}.ap-northeast-2.compute.internal</privateDnsName>
                    <dnsName/>
                    <reason/>
                    <keyName>fleet-2024</keyName>
                    <amiLaunchIndex>0</amiLaunchIndex>
                    <productCodes/>
                    <instanceType>{type}</instanceType>
                    <launchTime>{launched}</launchTime>
                    <placement>
                        <availabilityZone>{az}</availabilityZone>
                        <availabilityZoneId>apne2-az1</availabilityZoneId>
                        <groupName/>
                        <tenancy>default</tenancy>
                    </placement>
{platform}                    <monitoring>
                        <state>disabled</state>
                    </monitoring>
                    <subnetId>{subnet}</subnetId>
                    <vpcId>{vpc}</vpcId>
                    <privateIpAddress>{ip}</privateIpAddress>
                    <sourceDestCheck>true</sourceDestCheck>
                    <groupSet>
{groups}                    </groupSet>
                    <architecture>x86_64</architecture>
                    <rootDeviceType>ebs</rootDeviceType>
                    <rootDeviceName>/dev/xvda</rootDeviceName>
                    <blockDeviceMapping>
{devices}                    </blockDeviceMapping>
                    <virtualizationType>hvm</virtualizationType>
                    <clientToken>fleet-{tail}-19a7c1e2-5b0f-4d0e-8a61</clientToken>
                    <tagSet>
{tags}                    </tagSet>
                    <hypervisor>xen</hypervisor>
                    <networkInterfaceSet>
                        <item>
                            <networkInterfaceId>eni-0{tail}</networkInterfaceId>
                            <subnetId>{subnet}</subnetId>
                            <vpcId>{vpc}</vpcId>
                            <description/>
                            <ownerId>{account}</ownerId>
                            <status>in-use</status>
                            <macAddress>02:9b:4f:{mac}</macAddress>
                            <privateIpAddress>{ip}</privateIpAddress>
                            <privateDnsName>ip-{dashed}.ap-northeast-2.compute.internal</privateDnsName>
                            <sourceDestCheck>true</sourceDestCheck>
                            <groupSet>
{groups}                            </groupSet>
                            <attachment>
                                <attachmentId>eni-attach-0{tail}</attachmentId>
                                <deviceIndex>0</deviceIndex>
                                <status>attached</status>
                                <attachTime>{launched}</attachTime>
                                <deleteOnTermination>true</deleteOnTermination>
                                <networkCardIndex>0</networkCardIndex>
                            </attachment>
                            <privateIpAddressesSet>
                                <item>
                                    <privateIpAddress>{ip}</privateIpAddress>
                                    <privateDnsName>ip-{dashed}.ap-northeast-2.compute.internal</privateDnsName>
                                    <primary>true</primary>
                                </item>
                            </privateIpAddressesSet>
                            <ipv6AddressesSet/>
                            <interfaceType>interface</interfaceType>
                            <operator>
                                <managed>false</managed>
                            </operator>
                        </item>
                    </networkInterfaceSet>
                    <iamInstanceProfile>
                        <arn>arn:aws:iam::{account}:instance-profile/{role}</arn>
                        <id>AIPA4XVQ7W2JZCEXAMPLE</id>
                    </iamInstanceProfile>
                    <ebsOptimized>true</ebsOptimized>
                    <enaSupport>true</enaSupport>
                    <cpuOptions>
                        <coreCount>1</coreCount>
                        <threadsPerCore>2</threadsPerCore>
                    </cpuOptions>
                    <capacityReservationSpecification>
                        <capacityReservationPreference>open</capacityReservationPreference>
                    </capacityReservationSpecification>
                    <hibernationOptions>
                        <configured>false</configured>
                    </hibernationOptions>
                    <enclaveOptions>
                        <enabled>false</enabled>
                    </enclaveOptions>
                    <metadataOptions>
                        <state>applied</state>
                        <httpTokens>required</httpTokens>
                        <httpPutResponseHopLimit>2</httpPutResponseHopLimit>
                        <httpEndpoint>enabled</httpEndpoint>
                        <httpProtocolIpv4>enabled</httpProtocolIpv4>
                        <httpProtocolIpv6>disabled</httpProtocolIpv6>
                        <instanceMetadataTags>disabled</instanceMetadataTags>
                    </metadataOptions>
                    <maintenanceOptions>
                        <autoRecovery>default</autoRecovery>
                        <rebootMigration>default</rebootMigration>
                    </maintenanceOptions>
                    <currentInstanceBootMode>uefi</currentInstanceBootMode>
                    <usageOperation>RunInstances</usageOperation>
                    <usageOperationUpdateTime>{launched}</usageOperationUpdateTime>
                    <platformDetails>Linux/UNIX</platformDetails>
                    <privateDnsNameOptions>
                        <hostnameType>ip-name</hostnameType>
                        <enableResourceNameDnsARecord>false</enableResourceNameDnsARecord>
                        <enableResourceNameDnsAAAARecord>false</enableResourceNameDnsAAAARecord>
                    </privateDnsNameOptions>
                    <operator>
                        <managed>false</managed>
                    </operator>
                </item>
            </instancesSet>
            <requesterId>043234062703</requesterId>
        </item>
"""
_DEVICE = """\
                        <item>
                            <deviceName>{name}</deviceName>
                            <ebs>
                                <volumeId>vol-{digit}{tail}</volumeId>
                                <status>attached</status>
                                <attachTime>{launched}</attachTime>
                                <deleteOnTermination>true</deleteOnTermination>
                                <operator>
                                    <managed>false</managed>
                                </operator>
                            </ebs>
                        </item>
"""
_CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}


def described_instances(machines: Iterable[Machine], token: str) -> bytes:
    """A page of DescribeInstances."""
    items = "".join(_instance(each) for each in machines)
    more = f"    <nextToken>{token}</nextToken>\n" if token else ""
    return answer("DescribeInstances", f"    <reservationSet>\n{items}    </reservationSet>\n{more}")


def answer(operation: str, inside: str) -> bytes:
    """Any answer of EC2."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<{operation}Response xmlns="{NAMESPACE}">\n'
        "    <requestId>8f7724cf-496f-496e-8fe3-example00001</requestId>\n"
        f"{inside}</{operation}Response>"
    ).encode()


def described_regions() -> bytes:
    """DescribeRegions: three are enabled."""
    items = "".join(
        f"<item><regionName>{name}</regionName><regionEndpoint>ec2.{name}.amazonaws.com</regionEndpoint>"
        "<optInStatus>opt-in-not-required</optInStatus></item>"
        for name in REGIONS
    )
    return answer("DescribeRegions", f"<regionInfo>{items}</regionInfo>")


def _instance(machine: Machine) -> str:
    tail = machine.id[-16:]
    launched = datetime.fromtimestamp(machine.launched, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return _INSTANCE.format(
        tail=tail,
        account=ACCOUNT,
        id=machine.id,
        code=_CODES[machine.state],
        state=machine.state,
        dashed=machine.ip.replace(".", "-"),
        type=machine.type,
        launched=launched,
        az=machine.az,
        platform="                    <platform>windows</platform>\n" if machine.platform == "Windows" else "",
        subnet=machine.subnet,
        vpc=machine.vpc,
        ip=machine.ip,
        groups=_items([("groupId", each, "groupName", "fleet") for each in machine.groups]),
        devices=_DEVICE.format(name="/dev/xvda", digit=0, tail=tail, launched=launched)
        + _DEVICE.format(name="/dev/sdf", digit=1, tail=tail, launched=launched),
        tags=_items([("key", key, "value", value) for key, value in machine.tags.items()]),
        mac=f"{tail[:2]}:{tail[2:4]}:{tail[4:6]}",
        role=machine.role,
    )


def _items(pairs: Sequence[tuple[str, str, str, str]]) -> str:
    pad = " " * 24
    return "".join(
        f"{pad}<item>\n{pad}    <{a}>{xml(x)}</{a}>\n{pad}    <{b}>{xml(y)}</{b}>\n{pad}</item>\n"
        for a, x, b, y in pairs
    )


def xml(text: str) -> str:
    """A text inside XML. A carriage return would be read as a line's end if it were not spelled out."""
    return escape(text, {"\r": "&#13;"})
